//! XMP goes into photos, and every other byte stays.

use cairn_library::Splice;
use cairn_library::embed::{EmbedError, Metadata, embed};
use cairn_library::scan::payload_hash;
use cairn_library::xmp::{Packet, Property};
use image::ImageFormat;
use proptest::prelude::*;

use crate::blocks::{
    a_change, changed, exif, full_xmp_segment, jpeg_with, photoshop, png_with, webp_with, xmp_segment,
};
use crate::house::picture;

fn subjects(photo: &[u8]) -> Vec<String> {
    let packet = Metadata::of(photo).unwrap().xmp.unwrap();
    Packet::parse(&packet).unwrap().texts(Property::SUBJECT).unwrap()
}

fn refusal(photo: &[u8]) -> EmbedError {
    embed(photo, &a_change()).unwrap_err()
}

/// The markers of a JPEG up to the pixels.
fn markers(photo: &[u8]) -> Vec<u8> {
    let mut markers = Vec::new();
    let mut at = 2;
    while photo[at + 1] != 0xda {
        markers.push(photo[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([photo[at + 2], photo[at + 3]]));
    }
    markers
}

#[test]
fn xmp_stands_after_exif_and_before_the_rest() {
    let photo = jpeg_with(&[
        (0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xe1, &exif()),
        (0xe2, b"ICC_PROFILE\0\x01\x01"),
    ]);
    let after = changed(&photo);
    assert_eq!(markers(&after)[..4], [0xe0, 0xe1, 0xe1, 0xe2]);
    let exif_at = |bytes: &[u8]| bytes.windows(5).position(|window| window == b"maker");
    assert_eq!(exif_at(&after), exif_at(&photo), "the maker's block stays where it was");
    assert_eq!(subjects(&after), ["Eiffel Tower"]);
}

#[test]
fn the_picture_and_everything_behind_it_stay() {
    let trailer = b"ftypmp42 the moving half";
    let mut behind_webp = picture(ImageFormat::WebP, 3);
    behind_webp.extend(trailer);
    assert_eq!(refusal(&behind_webp), EmbedError::PictureUnknown);
    for mut photo in [picture(ImageFormat::Jpeg, 1), picture(ImageFormat::Png, 2)] {
        photo.extend(trailer);
        let after = changed(&photo);
        assert!(after.ends_with(trailer));
        assert_eq!(payload_hash(&after), payload_hash(&photo));
        assert_eq!(image::load_from_memory(&after).unwrap(), image::load_from_memory(&photo).unwrap());
        let splices = embed(&photo, &a_change()).unwrap();
        assert_eq!(Splice::apply(&after, &Splice::inverse(&splices)).unwrap(), photo);
    }
}

#[test]
fn xmp_that_is_there_is_edited_where_it_is() {
    let photo = jpeg_with(&[
        (0xe1, &exif()),
        (0xe1, &xmp_segment(&["Paris"], 2000)),
        (0xed, &photoshop(&[(5, "a title")])),
    ]);
    let after = changed(&photo);
    assert_eq!(after.len(), photo.len(), "out of the padding");
    assert_eq!(subjects(&after), ["Paris", "Eiffel Tower"]);
    let again = embed(&after, &[]).unwrap();
    assert_eq!(again, [], "no change, no replacement");
}

#[test]
fn formats_of_webp_get_the_header_that_announces_xmp() {
    let simple = changed(&picture(ImageFormat::WebP, 3));
    assert_eq!(&simple[12..16], b"VP8X");
    assert_eq!(simple[20] & 4, 4);
    let [w, h] = [24, 27].map(|at| u32::from_le_bytes([simple[at], simple[at + 1], simple[at + 2], 0]) + 1);
    assert_eq!((w, h), (24, 16));
    let twice = changed(&simple);
    assert_eq!(subjects(&twice), ["Eiffel Tower", "Eiffel Tower"]);
    assert_eq!(image::load_from_memory(&twice).unwrap().width(), 24);
}

#[test]
fn iim_keywords_are_read_and_forbid_to_embed() {
    let photo = jpeg_with(&[(0xed, &photoshop(&[(25, "Anna"), (25, "Café"), (90, "Paris")]))]);
    assert_eq!(refusal(&photo), EmbedError::IimKeywords);
    let metadata = Metadata::of(&photo).unwrap();
    assert_eq!(metadata.iim_keywords().unwrap().unwrap(), ["Anna", "Café"]);
    assert!(metadata.has_iim_place().unwrap());
    let damaged = jpeg_with(&[(0xed, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x04\x1c\x02\x19\xff")]);
    assert_eq!(embed(&damaged, &a_change()), Err(EmbedError::DamagedIim));
}

#[test]
fn content_credentials_are_never_invalidated() {
    for photo in
        [jpeg_with(&[(0xeb, b"JP\0\x01jumb")]), png_with(b"caBX", b"jumb"), webp_with(b"C2PA", b"jumb")]
    {
        assert_eq!(refusal(&photo), EmbedError::Credentials);
    }
}

#[test]
fn several_pictures_in_one_file_are_left_alone_unless_nothing_moves() {
    let mpf = b"MPF\0II\x2a\0\x08\0\0\0";
    assert_eq!(refusal(&jpeg_with(&[(0xe1, &exif()), (0xe2, mpf)])), EmbedError::SeveralPictures);
    assert_eq!(
        refusal(&jpeg_with(&[(0xe1, &xmp_segment(&["a"], 0)), (0xe2, mpf)])),
        EmbedError::SeveralPictures
    );
    let padded = jpeg_with(&[(0xe1, &xmp_segment(&["a"], 500)), (0xe2, mpf)]);
    assert_eq!(changed(&padded).len(), padded.len());
}

#[test]
fn extended_xmp_is_read_and_not_written() {
    let packet = xmp_segment(&["far away"], 0);
    let packet = &packet[29..];
    let mut extension = b"http://ns.adobe.com/xmp/extension/\0".to_vec();
    extension.extend([b'A'; 32]);
    extension.extend((packet.len() as u32).to_be_bytes());
    extension.extend(0_u32.to_be_bytes());
    extension.extend(packet);
    let photo = jpeg_with(&[(0xe1, &xmp_segment(&["near"], 900)), (0xe1, &extension)]);
    assert_eq!(refusal(&photo), EmbedError::ExtendedXmp);
    let keywords = cairn_library::keywords::Keywords::of_photo(&Metadata::of(&photo).unwrap()).unwrap();
    assert_eq!(keywords.get(cairn_library::keywords::KeywordField::Subject), ["near", "far away"]);
}

#[test]
fn what_does_not_fit_or_is_there_twice_is_refused() {
    assert!(matches!(refusal(&jpeg_with(&[(0xe1, &full_xmp_segment())])), EmbedError::TooLarge(_)));
    let segment = xmp_segment(&["a"], 0);
    assert_eq!(refusal(&jpeg_with(&[(0xe1, &segment), (0xe1, &segment)])), EmbedError::XmpTwice);
    assert_eq!(refusal(&jpeg_with(&[(0xe1, b"Exif\0\0II\x2a\0\xff\xff\xff\0")])), EmbedError::DamagedExif);
    assert_eq!(
        refusal(&png_with(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0zipped")),
        EmbedError::Packed("iTXt")
    );
    assert_eq!(
        refusal(&png_with(b"zTXt", b"Raw profile type iptc\0\0zipped")),
        EmbedError::Packed("Raw profile")
    );
}

#[test]
fn truncated_files_and_other_formats_are_refused() {
    for photo in [picture(ImageFormat::Jpeg, 1), picture(ImageFormat::Png, 2), picture(ImageFormat::WebP, 3)]
    {
        for length in [photo.len() - 1, photo.len() / 2, 40] {
            let error = refusal(&photo[..length]);
            assert!(matches!(error, EmbedError::Damaged(_)), "{error}");
        }
    }
    assert_eq!(refusal(b"GIF89a"), EmbedError::Unreadable);
    assert_eq!(refusal(b""), EmbedError::Unreadable);
    // A TIFF without entries.
    assert_eq!(refusal(b"II\x2a\0\x08\0\0\0\0\0\0\0\0\0"), EmbedError::Format);
}

#[test]
fn keywords_of_windows_are_read() {
    let text: Vec<u8> = "Anna;Zoë\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut tiff = b"II\x2a\0\x08\0\0\0\x01\0\x9e\x9c\x01\0".to_vec();
    tiff.extend((text.len() as u32).to_le_bytes());
    tiff.extend(26_u32.to_le_bytes());
    tiff.extend([0; 4]);
    tiff.extend(text);
    assert_eq!(Metadata::of(&tiff).unwrap().xp_keywords().unwrap(), ["Anna", "Zoë"]);
    let damaged_elsewhere = jpeg_with(&[(0xe1, b"Exif\0\0II\x2a\0\xff\xff\xff\0")]);
    assert!(
        Metadata::of(&damaged_elsewhere).unwrap().xp_keywords().unwrap().is_empty(),
        "a sidecar may still be written"
    );
}

#[test]
fn xmp_is_found_among_the_boxes_of_heic_and_cr3() {
    let boxed =
        |kind: &[u8], content: &[u8]| [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat();
    let packet = &xmp_segment(&["Anna"], 0)[29..];
    let infe = boxed(b"infe", &[b"\x02\0\0\0\0\x01\0\0mime\0application/rdf+xml\0".as_slice()].concat());
    let iinf = boxed(b"iinf", &[b"\0\0\0\0\0\x01".as_slice(), &infe].concat());
    let iloc = |offset: u32| {
        let extent = [&offset.to_be_bytes()[..], &(packet.len() as u32).to_be_bytes()].concat();
        boxed(b"iloc", &[b"\0\0\0\0\x44\0\0\x01\0\x01\0\0\0\x01".as_slice(), &extent].concat())
    };
    let file = |offset| {
        let meta = boxed(b"meta", &[b"\0\0\0\0".as_slice(), &iinf, &iloc(offset)].concat());
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta, boxed(b"mdat", packet)].concat()
    };
    let offset = file(0).len() - packet.len();
    let heic = file(offset as u32);
    assert_eq!(Metadata::of(&heic).unwrap().xmp.unwrap(), packet);
    assert_eq!(refusal(&heic), EmbedError::Format);
    let uuid = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    let cr3 = [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(b"uuid", &[uuid, packet].concat())].concat();
    assert_eq!(Metadata::of(&cr3).unwrap().xmp.unwrap(), packet);
}

proptest! {
    #[test]
    fn damaged_photos_never_panic(which in 0_usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut photo = match which {
            0 => jpeg_with(&[(0xe1, &exif()), (0xe1, &xmp_segment(&["a"], 9)), (0xed, &photoshop(&[(25, "b")]))]),
            1 => changed(&picture(ImageFormat::Png, 1)),
            2 => changed(&picture(ImageFormat::WebP, 1)),
            _ => exif()[6..].to_vec(),
        };
        let at = at.index(photo.len());
        photo[at] = byte;
        if let Ok(splices) = embed(&photo, &a_change()) {
            let after = Splice::apply(&photo, &splices).unwrap();
            prop_assert_eq!(payload_hash(&after), payload_hash(&photo));
        }
        photo.truncate(at);
        let _ = embed(&photo, &a_change());
    }
}
