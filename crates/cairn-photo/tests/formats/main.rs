//! Reading TIFF, HEIC, raw files and what is no photo, and turning all upright.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "avif")]
mod avif;
mod heic;
mod hostile;
mod metadata;
mod no_photos;
mod orientation;
mod raw;
mod tiff;

use cairn_photo::{Photo, PhotoError};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use serde::Deserialize;
use tempfile::TempDir;

/// A file and what another program reads from it; made by `reference/tiff.py` or `reference/heic.py`.
#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    width: u32,
    height: u32,
    pixels: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        of_hex(&self.file)
    }

    /// What is read of the file, and the greatest and the mean difference of a value.
    fn read(&self) -> (Photo, u8, f64) {
        let photo = open(&self.bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!((photo.width(), photo.height()), (self.width, self.height), "{}", self.name);
        let wanted = of_hex(&self.pixels);
        let differences: Vec<u8> = photo.pixels().iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).collect();
        let mean = differences.iter().map(|&value| f64::from(value)).sum::<f64>() / differences.len() as f64;
        (photo, differences.into_iter().max().unwrap(), mean)
    }
}

fn of_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
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

/// Four colours in four quarters: no two orientations of it look the same.
fn quarters(width: u32, height: u32) -> Photo {
    let mut photo = Photo::filled(width, height, [250, 250, 250]);
    for (index, value) in photo.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (index as u32 / 3 % width, index as u32 / 3 / width);
        let quarter = x * 2 / width + y * 2 / height * 2;
        let colour = [[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40]][quarter as usize];
        *value = colour[index % 3];
    }
    photo
}

fn jpeg_of(photo: &Photo) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
    encoder.write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8).unwrap();
    jpeg
}

/// Fails unless `upright` is what `stored` looks like once the orientation is applied.
fn assert_upright(what: &str, upright: &Photo, stored: &Photo, orientation: u8, tolerance: u8) {
    let (right, bottom) = (stored.width() - 1, stored.height() - 1);
    for (x, y) in (0..=bottom).flat_map(|y| (0..=right).map(move |x| (x, y))) {
        // The EXIF standard says of each orientation at which sides the stored first row and first column belong.
        let (new_x, new_y) = match orientation {
            1 => (x, y),
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (bottom - y, x),
            7 => (bottom - y, right - x),
            8 => (y, right - x),
            other => panic!("no orientation {other}"),
        };
        let (found, wanted) = (upright.pixel(new_x, new_y), stored.pixel(x, y));
        let worst = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
        assert!(
            worst <= Some(tolerance),
            "{what}, orientation {orientation}, at {x}, {y}: {found:?} for {wanted:?}"
        );
    }
}

/// A directory of entries (tag, type, count, value) at `offset`, and after it the values that do not fit; little-endian.
fn directory(offset: usize, entries: &[(u16, u16, u32, Vec<u8>)], next: u32) -> Vec<u8> {
    let mut head = (entries.len() as u16).to_le_bytes().to_vec();
    let mut tail = Vec::new();
    let values_at = offset + 2 + entries.len() * 12 + 4;
    for (tag, kind, count, value) in entries {
        head.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        head.extend(count.to_le_bytes());
        if value.len() <= 4 {
            let mut value = value.clone();
            value.resize(4, 0);
            head.extend(value);
        } else {
            head.extend(((values_at + tail.len()) as u32).to_le_bytes());
            tail.extend(value);
        }
    }
    head.extend(next.to_le_bytes());
    [head, tail].concat()
}

fn short(tag: u16, value: u16) -> (u16, u16, u32, Vec<u8>) {
    (tag, 3, 1, value.to_le_bytes().to_vec())
}

fn long(tag: u16, value: u32) -> (u16, u16, u32, Vec<u8>) {
    (tag, 4, 1, value.to_le_bytes().to_vec())
}
