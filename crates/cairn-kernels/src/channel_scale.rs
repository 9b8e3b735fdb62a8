//! Maps times a factor for each photo and channel: the last step of squeeze-and-excitation.

use rayon::prelude::*;

use crate::channel_sums::stretch_pixels;
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::{spread_chunks, spread_map};
use crate::vectorised::vectorised;

/// `output[photo, pixel, channel] = input[photo, pixel, channel] * factors[photo, channel]`.
///
/// # Panics
/// When `input` has not as many photos of whole pixels as `factors`, or lengths differ.
pub fn scale<T: Element>(isa: Isa, channels: usize, input: &[T], factors: &[f32], output: &mut [T]) {
    let photo = photo_len(channels, input.len(), factors.len());
    check_len("output", output.len(), input.len());
    let stretch = stretch_pixels(channels) * channels;
    spread_chunks(output, photo, |index, output| {
        let (input, factors) = (&input[index * photo..][..photo], &factors[index * channels..][..channels]);
        spread_map(input, output, stretch, |input, output| scale_stretch(isa, factors, input, output));
    });
}

vectorised! {
    fn scale_stretch<T: Element>(factors: &[f32], input: &[T], output: &mut [T]) {
        let channels = factors.len();
        for (to, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
            for channel in 0..channels {
                to[channel] = T::from_f32(x[channel].to_f32() * factors[channel]);
            }
        }
    }
}

/// The gradient of [`scale`] to its factors: for each photo and channel, the sum over the pixels of input times gradient.
/// (The gradient to the input is the gradient to the output, scaled.)
///
/// # Panics
/// When lengths do not match.
pub fn factor_gradient<T: Element>(
    isa: Isa,
    channels: usize,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    let photo = photo_len(channels, input.len(), gradient.len());
    check_len("output gradient", output_gradient.len(), input.len());
    let photos = input.par_chunks_exact(photo).zip(output_gradient.par_chunks_exact(photo));
    gradient.par_chunks_exact_mut(channels).zip(photos).for_each(|(gradient, (input, output_gradient))| {
        sum_products(isa, input, output_gradient, gradient);
    });
}

vectorised! {
    fn sum_products<T: Element>(input: &[T], output_gradient: &[T], sums: &mut [f32]) {
        let channels = sums.len();
        sums.fill(0.0);
        for (x, dy) in input.chunks_exact(channels).zip(output_gradient.chunks_exact(channels)) {
            for channel in 0..channels {
                sums[channel] += x[channel].to_f32() * dy[channel].to_f32();
            }
        }
    }
}

/// Elements of a photo, checked.
#[track_caller]
fn photo_len(channels: usize, maps: usize, factors: usize) -> usize {
    assert!(
        factors > 0 && factors.is_multiple_of(channels) && maps.is_multiple_of(factors),
        "maps of {maps} elements do not belong to {factors} factors of {channels} channels"
    );
    maps / (factors / channels)
}
