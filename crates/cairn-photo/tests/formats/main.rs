//! Reading TIFF, HEIC, raw files and what is no photo, and turning all upright.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "avif")]
mod avif;
mod heic;
mod hostile;
#[path = "../made/mod.rs"]
mod made;
mod metadata;
mod no_photos;
mod orientation;
#[path = "../oriented/mod.rs"]
mod oriented;
mod raw;
mod tiff;

use cairn_photo::{Photo, PhotoError};
use oriented::{assert_upright, jpeg_of, quarters};
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
