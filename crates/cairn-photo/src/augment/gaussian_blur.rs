//! Blurring a photo.

use pulp::Arch;
use rand::{Rng, RngExt};

use super::planes::Planes;

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

    /// Blurs: the kernel is the product of a row and a column, so along rows first, then along columns.
    pub(super) fn apply(&self, planes: &mut Planes<'_>) {
        let weights = self.weights();
        let (width, height) = (planes.width, planes.height);
        let radius = weights.len() / 2;
        let columns: Vec<usize> = mirrored(width, radius);
        let rows: Vec<usize> = mirrored(height, radius);
        let mut padded = vec![0.0; columns.len()];
        let mut blurred_rows = vec![0.0; width * height];
        for plane in planes.planes_mut() {
            for (row, blurred) in plane.chunks_exact(width).zip(blurred_rows.chunks_exact_mut(width)) {
                padded[radius..radius + width].copy_from_slice(row);
                for side in [0..radius, radius + width..columns.len()] {
                    for (level, &x) in padded[side.clone()].iter_mut().zip(&columns[side]) {
                        *level = row[x];
                    }
                }
                add_up(blurred, &weights, |shift| &padded[shift..]);
            }
            for (y, out) in plane.chunks_exact_mut(width).enumerate() {
                add_up(out, &weights, |shift| &blurred_rows[rows[y + shift] * width..]);
                Arch::new().dispatch(|| out.iter_mut().for_each(|level| *level = level.round_ties_even()));
            }
        }
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

/// The sum of rows, each times its weight, for as long as `sums` is.
fn add_up<'a>(sums: &mut [f32], weights: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    Arch::new().dispatch(|| {
        sums.fill(0.0);
        for (shift, &weight) in weights.iter().enumerate() {
            for (sum, value) in sums.iter_mut().zip(row(shift)) {
                *sum += weight * value;
            }
        }
    });
}
