//! Convolutions in groups: each group of channels is convolved by itself.
//!
//! Each part is copied out of its map, runs through the dense kernels, and is copied back between the others: a few
//! passes over the maps, beside the convolution's nine products for each of its values and channels.

use rayon::prelude::*;

use super::epilogue::Epilogue;
use super::one_group;
use super::pack::PackedWeights;
use crate::channel_sums::stretch_pixels;
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::Conv2dShape;

/// [`forward`](super::forward) of every group.
pub(crate) fn forward<T: Element>(
    shape: &Conv2dShape,
    input: &[T],
    weights: &[PackedWeights<T>],
    epilogue: Epilogue<'_, T>,
    output: &mut [T],
) {
    let (part, groups) = (shape.group(), weights.len());
    let channels = part.options().outputs;
    let convolve = |(group, weights): (usize, &PackedWeights<T>)| {
        let residual = epilogue.residual.map(|residual| channels_of(residual, group, groups, channels));
        let epilogue = Epilogue {
            bias: epilogue.bias.map(|bias| &bias[group * channels..][..channels]),
            residual: residual.as_deref(),
            activation: epilogue.activation,
        };
        let mut output = vec![T::ZERO; part.output_len()];
        one_group::forward(
            &part,
            &channels_of(input, group, groups, part.options().inputs),
            weights,
            epilogue,
            &mut output,
        );
        output
    };
    let parts: Vec<Vec<T>> = weights.par_iter().enumerate().map(convolve).collect();
    interleave(&parts, channels, output);
}

/// [`input_gradient`](super::input_gradient) of every group.
pub(crate) fn input_gradient<T: Element>(
    shape: &Conv2dShape,
    output_gradient: &[T],
    weights: &[PackedWeights<T>],
    input_gradient: &mut [T],
) {
    let (part, groups) = (shape.group(), weights.len());
    let channels = part.options().inputs;
    let convolve = |(group, weights): (usize, &PackedWeights<T>)| {
        let output_gradient = channels_of(output_gradient, group, groups, part.options().outputs);
        let mut gradient = vec![T::ZERO; part.input_len()];
        one_group::input_gradient(&part, &output_gradient, weights, &mut gradient);
        gradient
    };
    let parts: Vec<Vec<T>> = weights.par_iter().enumerate().map(convolve).collect();
    interleave(&parts, channels, input_gradient);
}

/// [`weight_gradient`](super::weight_gradient) of every group, whose weights follow each other.
pub(crate) fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    let (part, groups) = (shape.group(), shape.options().groups);
    gradient.par_chunks_exact_mut(part.weight_len()).enumerate().for_each(|(group, gradient)| {
        let input = channels_of(input, group, groups, part.options().inputs);
        let output_gradient = channels_of(output_gradient, group, groups, part.options().outputs);
        one_group::weight_gradient(isa, &part, &input, &output_gradient, gradient);
    });
}

/// The channels of one group of a map, `channels` of them.
fn channels_of<T: Element>(map: &[T], group: usize, groups: usize, channels: usize) -> Vec<T> {
    let pixels = map.chunks_exact(groups * channels);
    pixels.flat_map(|pixel| &pixel[group * channels..][..channels]).copied().collect()
}

/// The map of all groups' channels, side by side in each pixel.
fn interleave<T: Element>(parts: &[Vec<T>], channels: usize, map: &mut [T]) {
    let pixel_len = parts.len() * channels;
    let stretch = stretch_pixels(pixel_len);
    map.par_chunks_mut(stretch * pixel_len).enumerate().for_each(|(index, pixels)| {
        for (n, pixel) in pixels.chunks_exact_mut(pixel_len).enumerate() {
            let from = (index * stretch + n) * channels;
            for (part, to) in parts.iter().zip(pixel.chunks_exact_mut(channels)) {
                to.copy_from_slice(&part[from..from + channels]);
            }
        }
    });
}
