//! Reading photos of every format, whole and broken.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod made;
mod oriented;

use cairn_photo::{Limits, Photo, PhotoError};
use cairn_reference::data_folder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use made::chunk;
use oriented::{assert_upright, quarters};
use proptest::prelude::*;
use serde::Deserialize;
use tempfile::TempDir;

/// A file and what Pillow reads from it; made by `reference/decode.py`.
#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let digits = self.file.as_bytes().chunks_exact(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("reference/decode.json")).unwrap()
}

/// Reads `bytes` from a file of the given name.
fn open_as(name: &str, bytes: &[u8]) -> Result<Photo, PhotoError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Photo::open(path)
}

fn open(bytes: &[u8]) -> Result<Photo, PhotoError> {
    open_as("photo", bytes)
}

#[test]
fn every_format_reads_as_in_pillow() {
    for case in cases() {
        let photo = open(&case.bytes()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!((photo.width(), photo.height()), (case.width, case.height), "{}", case.name);
        // Decoders of JPEG and lossy WebP round differently, by a level or two before colours are converted.
        let allowed = match case.name.as_str() {
            name if name.starts_with("JPEG") => 4,
            "WebP, lossy" => 4,
            "TIFF, CMYK" => 1,
            _ => 0,
        };
        let worst = photo.pixels().iter().zip(&case.pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(allowed), "{}: off by up to {worst:?} levels", case.name);
    }
}

/// A TIFF header and one entry: orientation, as EXIF has it.
fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], b"\0\0\0\0\0\0"]
        .concat()
}

fn encode(encoder: impl ImageEncoder, photo: &Photo) {
    encoder.write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8).unwrap();
}

#[test]
fn a_jpeg_is_turned_upright_from_all_eight_orientations() {
    let stored = quarters(16, 32);
    let mut jpeg = Vec::new();
    encode(JpegEncoder::new_with_quality(&mut jpeg, 100), &stored);
    for orientation in 1..=8 {
        let exif = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        let (start_of_image, rest) = jpeg.split_at(2);
        let tagged = [start_of_image, b"\xFF\xE1", &length, &exif, rest].concat();
        assert_upright("read", &open(&tagged).unwrap(), &stored, orientation, 6);
    }
}

#[test]
fn png_and_webp_are_turned_upright_by_their_exif_too() {
    let stored = quarters(16, 32);
    for orientation in 1..=8 {
        let (mut png, mut webp) = (Vec::new(), Vec::new());
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encode(encoder, &stored);
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encode(encoder, &stored);
        for file in [png, webp] {
            assert_upright("read", &open(&file).unwrap(), &stored, orientation, 0);
        }
    }
}

#[test]
fn sixteen_bits_are_scaled_to_eight_not_clipped() {
    let values = [0_u16, 100, 129, 256, 257, 32768, 65000, 65535];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&bytes, 8, 1, ExtendedColorType::L16).unwrap();
    let photo = open(&png).unwrap();
    for (x, value) in (0..).zip(values) {
        let expected = (f64::from(value) / 65535.0 * 255.0).round() as u8;
        assert_eq!(photo.pixel(x, 0), [expected; 3], "{value} of 65535");
    }
}

#[test]
fn what_is_transparent_is_white() {
    let mut png = Vec::new();
    let pixels = [10, 20, 30, 0, 10, 20, 30, 255, 0, 100, 200, 51];
    PngEncoder::new(&mut png).write_image(&pixels, 3, 1, ExtendedColorType::Rgba8).unwrap();
    let photo = open(&png).unwrap();
    assert_eq!(photo.pixel(0, 0), [255; 3]);
    assert_eq!(photo.pixel(1, 0), [10, 20, 30]);
    // 51 of 255 is a fifth: 0.2 * colour + 0.8 * 255.
    assert_eq!(photo.pixel(2, 0), [204, 224, 244]);
}

#[test]
fn the_content_tells_the_format_not_the_name() {
    for case in cases() {
        for name in ["photo.jpg", "photo.png", "photo.heic", "photo.txt"] {
            assert!(open_as(name, &case.bytes()).is_ok(), "{} named {name}", case.name);
        }
    }
}

#[test]
fn what_is_no_photo_is_a_typed_error_that_names_the_file() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing.jpg");
    let error = Photo::open(&missing).unwrap_err();
    assert!(matches!(error, PhotoError::NotFound { .. }));
    assert_eq!(error.path(), missing);
    let is_folder = Photo::open(folder.path()).unwrap_err();
    assert!(matches!(is_folder, PhotoError::NotAFile { kind: "a folder", .. }), "{is_folder}");
    assert!(matches!(open(b""), Err(PhotoError::Empty { .. })));
    assert!(matches!(open(b"class,name\n1,Eiffel Tower\n"), Err(PhotoError::NotAPhoto { .. })));
}

#[cfg(not(feature = "avif"))]
#[test]
fn avif_without_its_feature_says_how_to_get_it() {
    let error = open(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif").unwrap_err();
    assert!(error.to_string().contains("--features avif"), "{error}");
}

#[test]
fn a_decompression_bomb_is_refused_by_its_header() {
    let side = 60_000_u32.to_be_bytes();
    let header = [side.as_slice(), &side, b"\x08\x06\0\0\0"].concat();
    let bomb = [b"\x89PNG\r\n\x1A\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", b"\x78\x9C")].concat();
    let error = open(&bomb).unwrap_err();
    assert!(matches!(error, PhotoError::TooLarge { width: 60_000, height: 60_000, .. }), "{error}");
    assert!(error.to_string().contains("3600 megapixels, the limit is 200"), "{error}");
}

#[test]
fn limits_are_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("photo.png");
    Photo::filled(100, 50, [1, 2, 3]).save_png(&path).unwrap();
    let within = |max_pixels, max_bytes| {
        Photo::open_within(&path, &Limits { max_pixels, max_bytes, ..Limits::default() })
    };
    assert!(within(5000, 1_000_000).is_ok());
    assert!(matches!(within(4999, 1_000_000), Err(PhotoError::TooLarge { max_pixels: 4999, .. })));
    // The pixels alone are 15,000 bytes.
    assert!(matches!(within(5000, 14_999), Err(PhotoError::TooMuchMemory { .. })));
    assert!(matches!(within(5000, 10), Err(PhotoError::TooMuchMemory { .. })), "the file itself is longer");
}

#[test]
fn a_jpeg_cut_anywhere_is_truncated_not_grey_at_the_bottom() {
    for case in cases().iter().filter(|case| case.name.starts_with("JPEG") && !case.name.contains("MPO")) {
        let bytes = case.bytes();
        // Below that it is not even known for a JPEG.
        for length in (3..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
            let error = open(&bytes[..length]).unwrap_err();
            assert!(matches!(error, PhotoError::Truncated { .. }), "{} cut to {length}: {error}", case.name);
        }
    }
}

#[test]
fn other_files_cut_in_half_are_truncated() {
    // The first half of the GIF of two frames holds the first frame, which is all that is read.
    let whole_in_half = |name: &str| name.starts_with("JPEG") || name == "GIF, two frames";
    for case in cases().iter().filter(|case| !whole_in_half(&case.name)) {
        let bytes = case.bytes();
        match open(&bytes[..bytes.len() / 2]) {
            Err(PhotoError::Truncated { .. }) => {}
            other => panic!("{}: {other:?}", case.name),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_cut_and_no_changed_byte_makes_a_decoder_panic(
        case in any::<prop::sample::Index>(),
        length in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let cases = cases();
        let mut bytes = case.get(&cases).bytes();
        for (at, value) in changes {
            *at.get_mut(&mut bytes) = value;
        }
        let length = length.index(bytes.len() + 1);
        for length in [length, bytes.len()] {
            if let Ok(photo) = open(&bytes[..length]) {
                prop_assert_eq!(photo.pixels().len() as u64, u64::from(photo.width()) * u64::from(photo.height()) * 3);
            }
        }
    }
}

#[test]
fn a_saved_photo_reads_back_the_same_and_leaves_nothing_else_behind() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("quarters.png");
    quarters(16, 32).save_png(&path).unwrap();
    quarters(16, 32).save_png(&path).unwrap();
    assert_eq!(Photo::open(&path).unwrap(), quarters(16, 32));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);

    let nowhere = folder.path().join("no such folder/photo.png");
    let error = quarters(16, 32).save_png(&nowhere).unwrap_err();
    assert!(matches!(error, PhotoError::Write { .. }));
    assert_eq!(error.path(), nowhere);
}

#[test]
fn every_real_photo_reads_at_its_size() {
    let Some(photos) = data_folder("photos") else { return };
    let list = std::fs::read_to_string(photos.join("photos.csv")).unwrap();
    for line in list.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let (file, width, height, format) = (columns[0], columns[2], columns[3], columns[4]);
        if format == "AVIF" && !cfg!(feature = "avif") {
            continue;
        }
        let photo = Photo::open(photos.join(file)).unwrap();
        let expected = (width.parse().unwrap(), height.parse().unwrap());
        assert_eq!((photo.width(), photo.height()), expected, "{file}");
    }
}

#[cfg(feature = "avif")]
#[test]
fn an_avif_cut_anywhere_is_an_error() {
    let Some(photos) = data_folder("photos") else { return };
    let bytes = std::fs::read(photos.join("avif-rgb-472f7d1ca2d9.avif")).unwrap();
    for length in [30, 100, 200, 300, 400, 1000, bytes.len() / 2, bytes.len() - 1] {
        assert!(open(&bytes[..length]).is_err(), "cut to {length}");
    }
}
