//! Mean and variance of a batch.

use rayon::prelude::*;

use super::check_pixels;
use crate::channel_sums::stretch_pixels;
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::vectorised::vectorised;

/// Mean and variance, one value a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The mean.
    pub mean: Vec<f32>,
    /// The mean squared distance from the mean (the biased variance).
    pub variance: Vec<f32>,
}

impl Statistics {
    /// The batch's statistics; `input` is a map with `channels` values a pixel.
    ///
    /// Mean and squared distances are computed for each stretch of pixels and merged in f64 (Chan, Golub and LeVeque, 1979),
    /// so a mean far from zero costs no accuracy. The bits do not depend on the number of threads.
    ///
    /// # Panics
    /// When the map is empty or no whole number of pixels.
    pub fn of_batch<T: Element>(isa: Isa, channels: usize, input: &[T]) -> Self {
        check_pixels(channels, input.len());
        let stretch = stretch_pixels(channels) * channels;
        let parts: Vec<(usize, Vec<f32>, Vec<f32>)> = input
            .par_chunks(stretch)
            .map(|input| {
                let (mut mean, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
                stretch_moments(isa, input, &mut mean, &mut squares);
                (input.len() / channels, mean, squares)
            })
            .collect();
        let (mut mean, mut squares, mut seen) = (vec![0.0_f64; channels], vec![0.0_f64; channels], 0.0);
        for (pixels, part_mean, part_squares) in &parts {
            let pixels = *pixels as f64;
            let all = seen + pixels;
            for channel in 0..channels {
                let distance = f64::from(part_mean[channel]) - mean[channel];
                squares[channel] +=
                    f64::from(part_squares[channel]) + distance * distance * seen * pixels / all;
                mean[channel] += distance * pixels / all;
            }
            seen = all;
        }
        Self {
            mean: mean.iter().map(|&mean| mean as f32).collect(),
            variance: squares.iter().map(|&squares| (squares / seen) as f32).collect(),
        }
    }

    /// Moves running statistics towards these by `momentum`, with the unbiased variance, as PyTorch does.
    ///
    /// # Panics
    /// When the slices have not one value a channel.
    pub fn update_running(&self, pixels: usize, momentum: f32, mean: &mut [f32], variance: &mut [f32]) {
        check_len("running mean", mean.len(), self.mean.len());
        check_len("running variance", variance.len(), self.variance.len());
        let unbiased = pixels as f32 / (pixels.max(2) - 1) as f32;
        for (running, new) in mean.iter_mut().zip(&self.mean) {
            *running += momentum * (new - *running);
        }
        for (running, new) in variance.iter_mut().zip(&self.variance) {
            *running += momentum * (new * unbiased - *running);
        }
    }
}

vectorised! {
    /// Mean and sum of squared distances from it, of the pixels of one stretch.
    fn stretch_moments<T: Element>(input: &[T], mean: &mut [f32], squares: &mut [f32]) {
        let channels = mean.len();
        for pixel in input.chunks_exact(channels) {
            for (sum, x) in mean.iter_mut().zip(pixel) {
                *sum += x.to_f32();
            }
        }
        let pixels = (input.len() / channels) as f32;
        for sum in mean.iter_mut() {
            *sum /= pixels;
        }
        // The mean distance from this mean is what rounding left between it and the true mean.
        let mut distances = vec![0.0; channels];
        let squares = &mut squares[..channels];
        for pixel in input.chunks_exact(channels) {
            let sums = distances.iter_mut().zip(squares.iter_mut());
            for ((x, mean), (sum, squares)) in pixel.iter().zip(mean.iter()).zip(sums) {
                let distance = x.to_f32() - mean;
                *sum += distance;
                *squares += distance * distance;
            }
        }
        for channel in 0..channels {
            let shift = distances[channel] / pixels;
            mean[channel] += shift;
            squares[channel] -= shift * distances[channel];
        }
    }
}
