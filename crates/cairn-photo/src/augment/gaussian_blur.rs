//! Blurring a photo.

use rand::{Rng, RngExt};

use crate::Photo;

/// A blur by a normal distribution: torchvision's `functional.gaussian_blur`. Edges are mirrored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianBlur {
    /// Side of the square kernel, an odd number of pixels.
    pub kernel: u32,
    /// Standard deviation, in pixels.
    pub sigma: f32,
}

impl GaussianBlur {
    /// Draws a standard deviation.
    pub fn sample(kernel: u32, sigma: [f32; 2], rng: &mut impl Rng) -> GaussianBlur {
        GaussianBlur { kernel, sigma: rng.random_range(sigma[0]..=sigma[1]) }
    }

    /// The photo blurred.
    pub fn apply(&self, photo: &Photo) -> Photo {
        let weights = self.weights();
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let radius = weights.len() / 2;
        let columns: Vec<usize> = mirrored(width, radius);
        let rows: Vec<usize> = mirrored(height, radius);

        // The kernel is the product of a row and a column, so blur along one, then along the other.
        let mut blurred_rows = vec![0.0; width * height * 3];
        let mut padded = vec![0.0; columns.len() * 3];
        for (y, blurred) in (0..photo.height()).zip(blurred_rows.chunks_exact_mut(width * 3)) {
            let (row, _) = photo.row(y).as_chunks::<3>();
            for (pixel, &x) in padded.chunks_exact_mut(3).zip(&columns) {
                pixel.copy_from_slice(&row[x].map(f32::from));
            }
            for (shift, &weight) in weights.iter().enumerate() {
                add_scaled(blurred, &padded[shift * 3..], weight);
            }
        }

        let mut result = Photo::filled(photo.width(), photo.height(), [0; 3]);
        let mut sum = vec![0.0; width * 3];
        for (y, out) in result.pixels_mut().chunks_exact_mut(width * 3).enumerate() {
            sum.fill(0.0);
            for (&row, &weight) in rows[y..].iter().zip(&weights) {
                add_scaled(&mut sum, &blurred_rows[row * width * 3..], weight);
            }
            for (value, &sum) in out.iter_mut().zip(&sum) {
                *value = sum.round_ties_even() as u8;
            }
        }
        result
    }

    /// The kernel along one side, with a sum of 1.
    fn weights(&self) -> Vec<f32> {
        let radius = (self.kernel as f32 - 1.0) / 2.0;
        let density = |i: u32| (-0.5 * ((i as f32 - radius) / self.sigma).powi(2)).exp();
        let sum: f32 = (0..self.kernel).map(density).sum();
        (0..self.kernel).map(|i| density(i) / sum).collect()
    }
}

/// The positions `-radius..length + radius`, those outside mirrored at the first and last (which are not repeated).
fn mirrored(length: usize, radius: usize) -> Vec<usize> {
    let (length, radius) = (length as i64, radius as i64);
    // The mirrors stand face to face: everything repeats after there and back.
    let period = (2 * (length - 1)).max(1);
    let fold = |position: i64| {
        let position = position.rem_euclid(period);
        position.min(period - position).min(length - 1) as usize
    };
    (-radius..length + radius).map(fold).collect()
}

/// `sums += weight * values`, for as long as `sums` is.
fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}
