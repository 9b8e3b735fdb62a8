//! EXIF and XMP that harm was done to at random: there is a photo or an error, metadata or none, soon.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use cairn_mutate::survives;
use cairn_photo::{Limits, Photo, PhotoMetadata, ReadSize};
use image::{DynamicImage, ImageFormat, RgbImage};

/// An entry of a directory: tag, type, number of values, and the values.
type Entry = (u16, u16, u32, Vec<u8>);

/// A directory that begins at `at`: values longer than four bytes come behind it.
fn directory(at: u32, entries: &[Entry]) -> Vec<u8> {
    let count = u16::try_from(entries.len()).unwrap();
    let mut values = Vec::new();
    let values_at = at + 2 + 12 * u32::from(count) + 4;
    let mut bytes = count.to_le_bytes().to_vec();
    for (tag, kind, number, value) in entries {
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend(number.to_le_bytes());
        if value.len() <= 4 {
            bytes.extend(value);
            bytes.resize(bytes.len() + 4 - value.len(), 0);
        } else {
            bytes.extend((values_at + u32::try_from(values.len()).unwrap()).to_le_bytes());
            values.extend(value);
        }
    }
    [bytes, vec![0; 4], values].concat()
}

fn text(tag: u16, text: &str) -> Entry {
    let value = [text.as_bytes(), b"\0"].concat();
    (tag, 2, u32::try_from(value.len()).unwrap(), value)
}

fn rationals(tag: u16, values: [u32; 3]) -> Entry {
    (tag, 5, 3, values.iter().flat_map(|value| [*value, 1]).flat_map(u32::to_le_bytes).collect())
}

/// A camera, its clock and its place.
fn exif() -> Vec<u8> {
    let long = |tag, value: u32| (tag, 4, 1, value.to_le_bytes().to_vec());
    let exposure = [text(0x9003, "2019:07:14 15:04:05"), text(0x9011, "+02:00")];
    let gps = [
        text(1, "N"),
        rationals(2, [48, 51, 29]),
        text(3, "E"),
        rationals(4, [2, 17, 40]),
        text(0x1D, "2019:07:14"),
    ];
    let main = |exposure, gps| {
        [
            text(0x10F, "Apple"),
            text(0x110, "iPhone 12"),
            (0x112, 3, 1, vec![6, 0]),
            long(0x8769, exposure),
            long(0x8825, gps),
        ]
    };
    let exposure_at = 8 + u32::try_from(directory(8, &main(0, 0)).len()).unwrap();
    let exposure = directory(exposure_at, &exposure);
    let gps_at = exposure_at + u32::try_from(exposure.len()).unwrap();
    [b"II*\0\x08\0\0\0".to_vec(), directory(8, &main(exposure_at, gps_at)), exposure, directory(gps_at, &gps)]
        .concat()
}

const XMP: &[u8] = b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF><rdf:Description xmlns:tiff=\"http://ns.adobe.com/tiff/1.0/\" \
    tiff:Orientation=\"8\"/></rdf:RDF></x:xmpmeta>";

/// A segment of a JPEG for applications.
fn segment(head: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + head.len() + data.len()).unwrap();
    [&b"\xFF\xE1"[..], &length.to_be_bytes(), head, data].concat()
}

/// A chunk of a PNG, without a checksum that anybody would look at.
fn png_chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len()).unwrap().to_be_bytes(), name, data, &[0; 4]].concat()
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(RgbImage::from_pixel(24, 16, image::Rgb([90, 120, 200])))
        .write_to(&mut file, format)
        .unwrap();
    file.into_inner()
}

/// Small photos that keep EXIF, XMP or both where their formats keep them.
fn seeds() -> Vec<Vec<u8>> {
    let (jpeg, png) = (encoded(ImageFormat::Jpeg), encoded(ImageFormat::Png));
    let in_jpeg = |segments: &[Vec<u8>]| [&jpeg[..2], &segments.concat(), &jpeg[2..]].concat();
    let (exif_segment, xmp_segment) =
        (segment(b"Exif\0\0", &exif()), segment(b"http://ns.adobe.com/xap/1.0/\0", XMP));
    // After the signature and the header.
    let in_png = |chunks: &[Vec<u8>]| [&png[..33], &chunks.concat(), &png[33..]].concat();
    let xmp_text = [b"XML:com.adobe.xmp\0\0\0\0\0", XMP].concat();
    vec![
        exif(),
        in_jpeg(std::slice::from_ref(&exif_segment)),
        in_jpeg(std::slice::from_ref(&xmp_segment)),
        in_jpeg(&[exif_segment, xmp_segment]),
        in_png(&[png_chunk(b"eXIf", &exif())]),
        in_png(&[png_chunk(b"iTXt", &xmp_text), png_chunk(b"eXIf", &exif())]),
    ]
}

#[test]
fn whole_metadata_is_read_where_each_format_keeps_it() {
    let seeds = seeds();
    let with_exif = seeds.iter().filter(|seed| {
        let metadata = PhotoMetadata::from_bytes(seed);
        metadata.position.is_some()
            && metadata.taken.is_some()
            && metadata.model.as_deref() == Some("iPhone 12")
    });
    assert_eq!(with_exif.count(), 5, "all but the one of XMP alone");
    let turned = Photo::decode_at(&seeds[2], "xmp.jpg", ReadSize::Full, &Limits::default()).unwrap();
    assert_eq!((turned.width(), turned.height()), (16, 24), "XMP's orientation counts where EXIF has none");
}

#[test]
fn damaged_metadata_never_panics() {
    let limits = Limits::default();
    let read = survives(&seeds(), 400, |bytes| {
        // The orientation, in EXIF or XMP, is read with the pixels.
        drop(Photo::decode_at(bytes, "damaged", ReadSize::Full, &limits));
        PhotoMetadata::from_bytes(bytes) != PhotoMetadata::default()
    });
    assert!(read > 200, "{read} files had metadata");
}
