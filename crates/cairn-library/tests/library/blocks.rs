//! Photos with blocks of metadata, as cameras and programs write them.

use cairn_library::Splice;
use cairn_library::embed::embed;
use cairn_library::xmp::{ArrayKind, Change, Property, Value};
use image::ImageFormat;

use crate::house::picture;

/// A JPEG with these segments (marker, content) after its start.
pub(crate) fn jpeg_with(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let photo = picture(ImageFormat::Jpeg, 7);
    let mut bytes = photo[..2].to_vec();
    for (marker, content) in segments {
        bytes.extend([0xff, *marker]);
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend_from_slice(content);
    }
    bytes.extend_from_slice(&photo[2..]);
    bytes
}

/// EXIF with a maker, a date and a block that only its maker understands.
pub(crate) fn exif() -> Vec<u8> {
    let mut tiff = b"II\x2a\0\x08\0\0\0".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    // Directory 0 at 8: two entries; the EXIF directory at 38: two entries.
    tiff.extend(2_u16.to_le_bytes());
    tiff.extend(entry(0x010f, 2, 4, u32::from_le_bytes(*b"Abc\0")));
    tiff.extend(entry(0x8769, 4, 1, 38));
    tiff.extend([0; 4]);
    tiff.extend(2_u16.to_le_bytes());
    tiff.extend(entry(0x9003, 2, 20, 68));
    tiff.extend(entry(0x927c, 7, 8, 88));
    tiff.extend([0; 4]);
    tiff.extend(b"2019:07:14 15:04:05\0");
    tiff.extend(b"\x01maker\x02\x03");
    [b"Exif\0\0", tiff.as_slice()].concat()
}

/// A Photoshop block with these IPTC-IIM data sets of record 2.
pub(crate) fn photoshop(sets: &[(u8, &str)]) -> Vec<u8> {
    let mut iim = b"\x1c\x01\x5a\0\x03\x1b%G".to_vec();
    for (number, text) in sets {
        iim.extend([0x1c, 2, *number]);
        iim.extend((text.len() as u16).to_be_bytes());
        iim.extend(text.as_bytes());
    }
    let mut block = b"Photoshop 3.0\x008BIM\x04\x04\0\0".to_vec();
    block.extend((iim.len() as u32).to_be_bytes());
    block.extend(&iim);
    block.extend(&[0][..iim.len() % 2]);
    block
}

/// A segment's content: XMP with these keywords, and this much padding.
pub(crate) fn xmp_segment(keywords: &[&str], padding: usize) -> Vec<u8> {
    let items: String = keywords.iter().map(|keyword| format!("<rdf:li>{keyword}</rdf:li>")).collect();
    let packet = format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
         xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:Description>\
         </rdf:RDF></x:xmpmeta>{}\n<?xpacket end='w'?>",
        " ".repeat(padding)
    );
    [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat()
}

/// The same, as large as a segment can be.
pub(crate) fn full_xmp_segment() -> Vec<u8> {
    const MOST: usize = 65_502 + 29;
    let segment = xmp_segment(&[&"x".repeat(MOST - xmp_segment(&[""], 0).len())], 0);
    assert_eq!(segment.len(), MOST);
    segment
}

/// A PNG with this chunk before its pixels.
pub(crate) fn png_with(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let photo = picture(ImageFormat::Png, 7);
    let at = photo.windows(4).position(|window| window == b"IDAT").unwrap() - 4;
    let typed = [kind, content].concat();
    let mut crc = u32::MAX;
    for byte in &typed {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let chunk = [&(content.len() as u32).to_be_bytes()[..], &typed, &(!crc).to_be_bytes()].concat();
    [&photo[..at], &chunk, &photo[at..]].concat()
}

/// A WebP with this chunk after its pixels.
pub(crate) fn webp_with(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut photo = picture(ImageFormat::WebP, 7);
    photo.extend(kind);
    photo.extend((content.len() as u32).to_le_bytes());
    photo.extend(content);
    photo.extend(&[0][..content.len() % 2]);
    let length = photo.len() as u32 - 8;
    photo[4..8].copy_from_slice(&length.to_le_bytes());
    photo
}

/// A change that any photo could have.
pub(crate) fn a_change() -> [Change; 1] {
    [Change::Append {
        property: Property::SUBJECT,
        kind: ArrayKind::Bag,
        items: vec![Value::text("Eiffel Tower")],
    }]
}

/// The photo with [`a_change`].
pub(crate) fn changed(photo: &[u8]) -> Vec<u8> {
    Splice::apply(photo, &embed(photo, &a_change()).unwrap()).unwrap()
}
