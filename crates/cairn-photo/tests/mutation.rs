//! Damaged photos of every format: each is read or refused, soon and without a panic.
//!
//! `CAIRN_MUTATIONS` sets how many, or which: `9000..10000`. Each number damages a photo always in the same way.
//!
//! ```sh
//! CAIRN_MUTATIONS=100000 cargo test --release -p cairn-photo --test mutation -- --nocapture
//! ```

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod drawn;
mod made;

use std::io::Cursor;
use std::ops::Range;
use std::time::Duration;

use cairn_photo::{Limits, Photo, PhotoError, ReadSize};
use cairn_reference::CpuClock;
use chacha20::ChaCha8Rng;
use image::{DynamicImage, ImageFormat, RgbImage};
use made::{chunk, plain_png, progressive_jpeg, zlib_run};
use rand::{Rng, RngExt, SeedableRng};
use serde::Deserialize;

/// Files that Pillow wrote: see `reference/decode.py`.
#[derive(Deserialize)]
struct Case {
    file: String,
}

/// Whole photos of every format, small enough that most damage hits something.
fn seeds() -> Vec<Vec<u8>> {
    let drawn = drawn::drawn(120, 90);
    let rgb = DynamicImage::ImageRgb8(RgbImage::from_raw(120, 90, drawn.pixels().to_vec()).unwrap());
    let pictures = [
        rgb.clone(),
        DynamicImage::ImageRgba8(rgb.to_rgba8()),
        DynamicImage::ImageLuma8(rgb.to_luma8()),
        DynamicImage::ImageRgb16(rgb.to_rgb16()),
    ];
    let formats =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp];
    let mut seeds = Vec::new();
    for format in formats {
        for picture in &pictures {
            let mut file = Cursor::new(Vec::new());
            // Not every format has every colour type.
            if picture.write_to(&mut file, format).is_ok() {
                seeds.push(file.into_inner());
            }
        }
    }
    assert!(seeds.len() > 12, "{} photos of five formats", seeds.len());
    for progressive in [false, true] {
        let mut jpeg = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
        jpeg.set_size(120, 90);
        if progressive {
            jpeg.set_progressive_mode();
        }
        let mut jpeg = jpeg.start_compress(Vec::new()).unwrap();
        jpeg.write_scanlines(drawn.pixels()).unwrap();
        seeds.push(jpeg.finish().unwrap());
    }
    seeds.push(progressive_jpeg(120, 90, 30));
    let profile = chunk(b"iCCP", &[b"profile\0\0".as_slice(), &zlib_run(7, 3000)].concat());
    seeds.push(plain_png(120, 90, 6, &[profile]));
    let written: Vec<Case> = serde_json::from_str(include_str!("reference/decode.json")).unwrap();
    seeds.extend(written.iter().map(|case| {
        let digits = case.file.as_bytes().chunks_exact(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }));
    seeds
}

/// Damages a file in up to three places.
fn damage(file: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut impl Rng) {
    for _ in 0..rng.random_range(1..=3) {
        if file.is_empty() {
            return;
        }
        // Headers are short, and most is decided there.
        let end = if rng.random_bool(0.5) { file.len().min(200) } else { file.len() };
        let at = rng.random_range(0..end);
        let length = rng.random_range(1..=file.len() - at).min(rng.random_range(1..=64));
        match rng.random_range(0..9) {
            0 => file[at] ^= 1 << rng.random_range(0..8),
            1 => file[at] = rng.random(),
            2 => file.truncate(at),
            3 => drop(file.drain(at..at + length)),
            4 => {
                let copy = file[at..at + length].to_vec();
                let to = rng.random_range(0..=file.len());
                file.splice(to..to, copy);
            }
            5 => {
                let noise: Vec<u8> = (0..length).map(|_| rng.random()).collect();
                file.splice(at..at, noise);
            }
            6 => {
                let other = &others[rng.random_range(0..others.len())];
                let from = rng.random_range(0..other.len());
                let piece = &other[from..(from + length).min(other.len())];
                file.splice(at..at + length, piece.iter().copied());
            }
            // Sizes, lengths and offsets.
            7 => overwrite(file, at, &extreme(rng).to_be_bytes()),
            _ => overwrite(file, at, &extreme(rng).to_le_bytes()[..2]),
        }
    }
}

fn extreme(rng: &mut impl Rng) -> u32 {
    let values = [0, 1, 2, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX];
    values[rng.random_range(0..values.len())]
}

fn overwrite(file: &mut [u8], at: usize, value: &[u8]) {
    for (byte, value) in file[at..].iter_mut().zip(value) {
        *byte = *value;
    }
}

/// The numbers to be tried.
fn numbers() -> Range<u64> {
    let Ok(wanted) = std::env::var("CAIRN_MUTATIONS") else { return 0..400 };
    let (first, end) = wanted.split_once("..").unwrap_or(("0", &wanted));
    first.parse().unwrap()..end.parse().unwrap()
}

/// The most memory that this process has had at once, where the system says so.
fn peak_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1000)
}

#[test]
fn no_damaged_photo_panics_or_takes_ten_seconds_or_a_gigabyte() {
    let (numbers, all) = (numbers(), CpuClock::start());
    let count = numbers.end - numbers.start;
    let seeds = seeds();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("photo");
    let sizes = [ReadSize::Full, ReadSize::ShortSide(8), ReadSize::Exactly { width: 12, height: 9 }];
    let (mut read, mut longest, mut panics) = (0, Some(Duration::ZERO), Vec::new());
    for number in numbers {
        let mut rng = ChaCha8Rng::seed_from_u64(number);
        let mut file = seeds[number as usize % seeds.len()].clone();
        damage(&mut file, &seeds, &mut rng);
        std::fs::write(&path, &file).unwrap();
        let clock = CpuClock::start();
        let outcome = Photo::open_at(&path, sizes[rng.random_range(0..3)], &Limits::default());
        let time = clock.elapsed();
        if time > longest {
            longest = time;
            println!("{time:?} for number {number}: {outcome:?}");
        }
        assert!(time < Some(Duration::from_secs(10)), "number {number} takes {time:?}");
        match outcome {
            Ok(_) => read += 1,
            Err(error @ PhotoError::Panicked { .. }) => panics.push(format!("number {number}: {error}")),
            Err(_) => {}
        }
    }
    let peak = peak_megabytes();
    let (all, panicked) = (all.elapsed(), panics.len());
    println!("{read} of {count} read, {all:?}, longest {longest:?}, peak {peak:?} MB, {panicked} panics");
    assert!(panics.is_empty(), "{panics:#?}");
    assert!(peak < Some(1 << 10), "{peak:?} MB");
}
