//! How fast photos become a network's input, on one thread.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cairn_photo::{Framing, Limits, Normalisation, Photo, PhotoError, Preprocess, ReadSize};

/// Side of what a photo becomes, in pixels.
const SIDE: u32 = 224;

/// Photos a second from file to `[3, 224, 224]` numbers: read, shorter side to 256, crop, normalise. The best of `repeats`
/// passes over all of them counts.
///
/// With `every_pixel` a large JPEG is decoded whole; without, at a fraction of its size, as training and prediction do.
///
/// # Errors
/// With the first photo that cannot be read.
pub fn decoding_speed(
    photos: &[impl AsRef<Path>],
    every_pixel: bool,
    repeats: usize,
) -> Result<f64, PhotoError> {
    let framing = Framing::ShortSideCrop { short_side: 256, crop: SIDE };
    let size = if every_pixel { ReadSize::Full } else { framing.read_size() };
    let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
    let mut numbers = vec![0.0; 3 * (SIDE * SIDE) as usize];
    let mut best = f64::INFINITY;
    for _ in 0..repeats.max(1) {
        let begun = Instant::now();
        for path in photos {
            let photo = Photo::open_at(path, size, &Limits::default())?;
            preprocess.normalisation.write_chw(&preprocess.frame(&photo), &mut numbers);
            black_box(&numbers);
        }
        best = best.min(begun.elapsed().as_secs_f64());
    }
    Ok(photos.len() as f64 / best)
}
