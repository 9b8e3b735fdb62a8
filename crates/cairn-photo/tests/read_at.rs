//! A photo read at the size at which it is wanted is the whole photo resized, as far as a network can tell.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use cairn_photo::{Limits, Photo, PhotoError, ReadSize};
use cairn_reference::data_folder;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tempfile::TempDir;

/// A JPEG in a temporary folder, which goes with it.
struct JpegFile(TempDir);

impl JpegFile {
    fn of(bytes: &[u8]) -> JpegFile {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("photo.jpg"), bytes).unwrap();
        JpegFile(folder)
    }

    fn open_at(&self, size: ReadSize) -> Result<Photo, PhotoError> {
        Photo::open_at(self.0.path().join("photo.jpg"), size, &Limits::default())
    }
}

/// Hills of each colour with waves upon them, different in every corner.
fn landscape(width: u32, height: u32) -> Photo {
    let pixels = (0..height)
        .flat_map(|y| (0..width).map(move |x| (f64::from(x), f64::from(y))))
        .flat_map(|(x, y)| {
            let wave = 40.0 * ((x + y) / 9.0).sin();
            let level = |slope: f64| 130.0 + slope + wave;
            let (across, down) = (x / f64::from(width) - 0.5, y / f64::from(height) - 0.5);
            [level(100.0 * across), level(100.0 * down), level(-80.0 * across)].map(|level| level as u8)
        })
        .collect();
    Photo::from_pixels(width, height, pixels).unwrap()
}

fn jpeg(photo: &Photo, orientation: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    let header = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    encoder.set_exif_metadata([header.as_slice(), &[orientation], b"\0\0\0\0\0\0"].concat()).unwrap();
    encoder.write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8).unwrap();
    jpeg
}

fn mean_difference(left: &Photo, right: &Photo) -> f64 {
    assert_eq!((left.width(), left.height()), (right.width(), right.height()));
    let sum: u64 = left.pixels().iter().zip(right.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / left.pixels().len() as f64
}

#[test]
fn a_reduced_jpeg_is_the_whole_one_resized_in_every_orientation() {
    // Neither side is a whole number of blocks.
    let stored = landscape(1003, 707);
    for orientation in 1..=8 {
        let file = JpegFile::of(&jpeg(&stored, orientation));
        let whole = file.open_at(ReadSize::Full).unwrap();
        for short_side in [40, 64, 80, 110, 220] {
            let reduced = file.open_at(ReadSize::ShortSide(short_side)).unwrap();
            let difference = mean_difference(&reduced, &whole.resized_short_side(short_side));
            assert!(difference < 1.5, "orientation {orientation}, {short_side} px: off by {difference}");
        }
        let (width, height) = (90, 50);
        let squashed = file.open_at(ReadSize::Exactly { width, height }).unwrap();
        let difference = mean_difference(&squashed, &whole.resized(width, height));
        assert!(difference < 1.5, "orientation {orientation}, squashed: off by {difference}");
    }
}

#[test]
fn the_size_that_was_asked_for_is_met_and_asking_again_changes_nothing() {
    let file = JpegFile::of(&jpeg(&landscape(801, 600), 1));
    for short_side in [30, 64, 100, 599] {
        let photo = file.open_at(ReadSize::ShortSide(short_side)).unwrap();
        assert_eq!((photo.width(), photo.height()), (801 * short_side / 600, short_side));
        assert!(photo.resized_short_side(short_side) == photo);
    }
    let small = file.open_at(ReadSize::ShortSide(700)).unwrap();
    assert_eq!((small.width(), small.height()), (801, 600), "a photo is not enlarged");
}

#[test]
fn a_jpeg_that_is_cut_off_is_refused_at_every_size() {
    let mut bytes = jpeg(&landscape(1003, 707), 1);
    bytes.truncate(bytes.len() / 2);
    for size in [ReadSize::Full, ReadSize::ShortSide(40)] {
        let error = JpegFile::of(&bytes).open_at(size).unwrap_err();
        assert!(matches!(error, PhotoError::Truncated { .. }), "{error}");
    }
}

/// The photos that are largest, sharpest, grey, CMYK, turned, and of other formats.
#[test]
fn real_photos_read_for_a_network_differ_by_less_than_two_levels_from_whole_ones_resized() {
    let Some(photos) = real_photos() else { return };
    for path in photos {
        let whole = match Photo::open(&path) {
            Err(PhotoError::Unsupported { .. }) => continue,
            whole => whole.unwrap(),
        };
        for short_side in [128, 224, 256] {
            let read = Photo::open_at(&path, ReadSize::ShortSide(short_side), &Limits::default()).unwrap();
            let least = short_side.min(whole.width().min(whole.height()));
            let difference = mean_difference(&read, &whole.resized_short_side(least));
            println!("{difference:.2} {short_side} {}", path.display());
            assert!(difference < 2.0, "{} at {short_side} px: off by {difference}", path.display());
        }
    }
}

fn real_photos() -> Option<Vec<PathBuf>> {
    let entries = std::fs::read_dir(data_folder("photos")?).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    Some(paths.filter(|path| cairn_photo::is_photo_name(path)).collect())
}
