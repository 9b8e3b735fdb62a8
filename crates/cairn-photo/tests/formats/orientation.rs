//! Photos are turned upright by whatever names their orientation.

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::made::chunk;
use crate::{assert_upright, directory, jpeg_of, long, open, quarters, short};

/// EXIF data of one entry: orientation as an integer of the given type.
fn exif(orientation: u8, kind: u16) -> Vec<u8> {
    let header = b"II*\0\x08\0\0\0".to_vec();
    [header, directory(8, &[(0x0112, kind, 1, vec![orientation, 0, 0, 0])], 0)].concat()
}

fn xmp(orientation: u8) -> [String; 2] {
    let begin = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description ";
    let end = "</rdf:Description></rdf:RDF></x:xmpmeta>";
    [
        format!("{begin} tiff:Orientation=\"{orientation}\">{end}"),
        format!("{begin}><tiff:Orientation>{orientation}</tiff:Orientation>{end}"),
    ]
}

/// A JPEG with the given segments APP1.
fn jpeg_with(jpeg: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    let (start_of_image, rest) = jpeg.split_at(2);
    let segments = segments
        .iter()
        .flat_map(|data| [b"\xFF\xE1", (data.len() as u16 + 2).to_be_bytes().as_slice(), data].concat());
    [start_of_image, &segments.collect::<Vec<u8>>(), rest].concat()
}

fn exif_segment(orientation: u8, kind: u16) -> Vec<u8> {
    [b"Exif\0\0".as_slice(), &exif(orientation, kind)].concat()
}

fn xmp_segment(xmp: &str) -> Vec<u8> {
    [b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes()].concat()
}

#[test]
fn an_orientation_of_any_integer_type_turns_a_jpeg() {
    let stored = quarters(16, 32);
    let jpeg = jpeg_of(&stored);
    // BYTE, SHORT, LONG, SBYTE, SSHORT, SLONG.
    for kind in [1, 3, 4, 6, 8, 9] {
        for orientation in 1..=8 {
            let tagged = jpeg_with(&jpeg, &[exif_segment(orientation, kind)]);
            assert_upright(&format!("type {kind}"), &open(&tagged).unwrap(), &stored, orientation, 6);
        }
    }
}

#[test]
fn an_orientation_in_xmp_alone_turns_a_jpeg_and_exif_counts_more() {
    let stored = quarters(16, 32);
    let jpeg = jpeg_of(&stored);
    for orientation in 1..=8 {
        for xmp in xmp(orientation) {
            let tagged = jpeg_with(&jpeg, &[xmp_segment(&xmp)]);
            assert_upright("XMP", &open(&tagged).unwrap(), &stored, orientation, 6);
            let both = jpeg_with(&jpeg, &[xmp_segment(&xmp), exif_segment(9 - orientation, 3)]);
            assert_upright("XMP and EXIF", &open(&both).unwrap(), &stored, 9 - orientation, 6);
        }
    }
}

#[test]
fn a_large_jpeg_that_is_read_small_is_turned_by_them_too() {
    use cairn_photo::{Limits, Photo, ReadSize};
    let stored = quarters(640, 1280);
    let tagged = jpeg_with(&jpeg_of(&stored), &[exif_segment(6, 4)]);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("photo.jpg");
    std::fs::write(&path, tagged).unwrap();
    let photo = Photo::open_at(path, ReadSize::ShortSide(64), &Limits::default()).unwrap();
    assert_eq!((photo.width(), photo.height()), (128, 64));
    // Its first row is at the right, its first column at the top.
    assert!(photo.pixel(120, 5)[0] > 150 && photo.pixel(5, 5)[2] > 150, "{:?}", photo.pixel(120, 5));
}

#[test]
fn a_png_is_turned_by_its_chunk_by_imagemagicks_digits_and_by_xmp() {
    let stored = quarters(16, 32);
    let mut png = Vec::new();
    let encoder = PngEncoder::new(&mut png);
    encoder.write_image(stored.pixels(), 16, 32, ExtendedColorType::Rgb8).unwrap();
    // Behind the signature and the header.
    let (head, rest) = png.split_at(33);
    for orientation in 1..=8 {
        let digits: String = exif_segment(orientation, 3).iter().map(|byte| format!("{byte:02x}")).collect();
        let profile = format!("Raw profile type exif\0\nexif\n{:8}\n{digits}\n", digits.len() / 2);
        let of_xmp = xmp(orientation)
            .map(|xmp| chunk(b"iTXt", format!("XML:com.adobe.xmp\0\0\0\0\0{xmp}").as_bytes()));
        let chunks = [
            chunk(b"eXIf", &exif(orientation, 4)),
            chunk(b"tEXt", profile.as_bytes()),
            of_xmp[0].clone(),
            of_xmp[1].clone(),
        ];
        for chunk in chunks {
            let tagged = [head, &chunk, rest].concat();
            assert_upright("PNG", &open(&tagged).unwrap(), &stored, orientation, 0);
        }
    }
}

#[test]
fn a_webp_is_turned_by_its_exif_and_by_its_xmp() {
    let stored = quarters(16, 32);
    for orientation in 1..=8 {
        let mut webp = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif(orientation, 9)).unwrap();
        encoder.write_image(stored.pixels(), 16, 32, ExtendedColorType::Rgb8).unwrap();
        assert_upright("WebP, EXIF", &open(&webp).unwrap(), &stored, orientation, 0);

        let mut webp = Vec::new();
        let encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.write_image(stored.pixels(), 16, 32, ExtendedColorType::Rgb8).unwrap();
        let mut xmp = xmp(orientation)[1].clone();
        xmp.extend(std::iter::repeat_n(' ', xmp.len() % 2));
        webp.extend([b"XMP ", (xmp.len() as u32).to_le_bytes().as_slice(), xmp.as_bytes()].concat());
        let length = (webp.len() as u32 - 8).to_le_bytes();
        webp[4..8].copy_from_slice(&length);
        assert_upright("WebP, XMP", &open(&webp).unwrap(), &stored, orientation, 0);
    }
}

#[test]
fn a_tiff_is_turned_by_its_tag_of_any_type_and_by_its_xmp() {
    let stored = quarters(6, 8);
    let tiff = |entry: (u16, u16, u32, Vec<u8>)| {
        let mut entries = vec![
            short(256, 6),
            short(257, 8),
            (258, 3, 3, vec![8, 0, 8, 0, 8, 0]),
            short(259, 1),
            short(262, 2),
            long(273, 1000),
            short(277, 3),
            long(279, 6 * 8 * 3),
            entry,
        ];
        entries.sort_by_key(|(tag, ..)| *tag);
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend(directory(8, &entries, 0));
        bytes.resize(1000, 0);
        bytes.extend(stored.pixels());
        bytes
    };
    for orientation in 1..=8 {
        for kind in [1, 3, 4] {
            let tagged = tiff((274, kind, 1, vec![orientation, 0, 0, 0]));
            assert_upright("TIFF", &open(&tagged).unwrap(), &stored, orientation, 0);
        }
        for xmp in xmp(orientation) {
            let tagged = tiff((700, 1, xmp.len() as u32, xmp.into_bytes()));
            assert_upright("TIFF, XMP", &open(&tagged).unwrap(), &stored, orientation, 0);
        }
    }
}
