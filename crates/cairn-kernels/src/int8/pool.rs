//! Pools of maps of bytes.

use super::quantisation::Quantisation;
use crate::isa::Isa;
use crate::memory::with_scratch;
use crate::pool::{MaxPoolOptions, MaxPoolShape};
use crate::shape::check_len;
use crate::team::spread_chunks;
use crate::vectorised::vectorised;

/// What a thread keeps from row to row: the greatest of a window's rows.
#[derive(Default)]
struct Greatest(Vec<u8>);

/// Max pool: the greatest level of every window. Padding never is.
///
/// # Panics
/// When a slice's length does not belong to the shape.
pub fn max_pool(isa: Isa, shape: &MaxPoolShape, input: &[u8], output: &mut [u8]) {
    let MaxPoolOptions { map, channels, window, stride, padding, .. } = *shape.options();
    check_len("input", input.len(), shape.input_len());
    check_len("output", output.len(), shape.output_len());
    let (height, width) = (shape.output_map().height, shape.output_map().width);
    let line = map.width * channels;
    spread_chunks(output, width * channels, |index, output| {
        let (photo, row) = (index / height, index % height);
        let photo = &input[photo * map.height * line..][..map.height * line];
        let first = (row * stride).saturating_sub(padding);
        let end = (row * stride + window - padding).min(map.height);
        with_scratch(|Greatest(greatest)| {
            greatest.clear();
            greatest.extend_from_slice(&photo[first * line..][..line]);
            for row in photo[first * line..end * line].chunks_exact(line).skip(1) {
                raise(isa, row, greatest);
            }
            greatest_along(isa, channels, [window, stride, padding], greatest, output);
        });
    });
}

vectorised! {
    /// The greater of each two.
    fn raise(row: &[u8], greatest: &mut [u8]) {
        for (to, from) in greatest.iter_mut().zip(row) {
            *to = (*to).max(*from);
        }
    }
}

vectorised! {
    /// The greatest pixel of every window along a row.
    fn greatest_along(channels: usize, geometry: [usize; 3], row: &[u8], output: &mut [u8]) {
        let [window, stride, padding] = geometry;
        let width = row.len() / channels;
        for (x, output) in output.chunks_exact_mut(channels).enumerate() {
            let first = (x * stride).saturating_sub(padding);
            let end = (x * stride + window - padding).min(width);
            output.copy_from_slice(&row[first * channels..][..channels]);
            for pixel in row[first * channels..end * channels].chunks_exact(channels).skip(1) {
                for (to, from) in output.iter_mut().zip(pixel) {
                    *to = (*to).max(*from);
                }
            }
        }
    }
}

/// The mean over every photo's map, of the values that its levels mean: `[photos, channels]`.
///
/// # Panics
/// When the slices are not whole photos of `area` pixels.
pub fn average(
    isa: Isa,
    channels: usize,
    area: usize,
    quantisation: Quantisation,
    input: &[u8],
    output: &mut [f32],
) {
    check_len("input", input.len(), output.len() * area);
    for (photo, output) in input.chunks_exact(channels * area).zip(output.chunks_exact_mut(channels)) {
        let mut sums = vec![0_u32; channels];
        add_pixels(isa, photo, &mut sums);
        for (to, sum) in output.iter_mut().zip(sums) {
            let mean = f64::from(sum) / area as f64 - f64::from(quantisation.zero_point);
            *to = (mean * f64::from(quantisation.scale)) as f32;
        }
    }
}

vectorised! {
    /// Adds pixels to the sums of their channels.
    fn add_pixels(pixels: &[u8], sums: &mut [u32]) {
        for pixel in pixels.chunks_exact(sums.len()) {
            for (sum, level) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(*level);
            }
        }
    }
}
