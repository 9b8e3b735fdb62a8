//! 2-D convolutions: forward, gradient to the input, gradient to the weights and the bias.

mod amx;
mod axis;
mod bands;
mod depthwise;
mod epilogue;
mod gather;
mod grouped;
mod groups;
mod one_group;
mod pack;
mod paired_weights;
mod panel;
mod patch;
mod planes;
mod transpose;
mod vector;
mod weight_gradient;
mod winograd;

pub use epilogue::Epilogue;
pub use pack::PackedWeights;
pub use panel::Direction;

use crate::channel_sums::{channel_sums, stretch_pixels};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Conv2dShape, check_len};
use crate::vectorised::vectorised;

/// Convolves: `output = activation(input * weights + bias + residual)`, with the bias, residual and activation of the
/// epilogue.
///
/// `input` is NHWC of [`Conv2dShape::input_len`] elements, `output` of [`Conv2dShape::output_len`]; all of it is
/// written. The result does not depend on the number of threads.
///
/// # Panics
/// When a slice's length, or the packed weights, do not belong to the shape.
pub fn forward<T: Element>(
    shape: &Conv2dShape,
    input: &[T],
    weights: &PackedWeights<T>,
    epilogue: Epilogue<'_, T>,
    output: &mut [T],
) {
    let options = shape.options();
    check_len("input", input.len(), shape.input_len());
    check_len("output", output.len(), shape.output_len());
    if let Some(bias) = epilogue.bias {
        check_len("bias", bias.len(), options.outputs);
    }
    if let Some(residual) = epilogue.residual {
        check_len("residual", residual.len(), shape.output_len());
    }
    weights.check(shape, Direction::Forward);
    if shape.is_grouped() {
        return grouped::forward(shape, input, &weights.groups, epilogue, output);
    }
    one_group::forward(shape, input, weights, epilogue, output);
}

/// The gradient to the input of [`forward`] without an epilogue, from the gradient to its output.
///
/// All of `input_gradient` is written. The result does not depend on the number of threads.
///
/// # Panics
/// When a slice's length, or the packed weights, do not belong to the shape.
pub fn input_gradient<T: Element>(
    shape: &Conv2dShape,
    output_gradient: &[T],
    weights: &PackedWeights<T>,
    input_gradient: &mut [T],
) {
    check_len("output gradient", output_gradient.len(), shape.output_len());
    check_len("input gradient", input_gradient.len(), shape.input_len());
    weights.check(shape, Direction::InputGradient);
    if shape.is_grouped() {
        return grouped::input_gradient(shape, output_gradient, &weights.groups, input_gradient);
    }
    one_group::input_gradient(shape, output_gradient, weights, input_gradient);
}

/// The gradient to the weights of [`forward`], in the layout of the weights.
///
/// All of `gradient` is written. The sums are kept in f32, in an order that depends on the shape alone: the result has
/// the same bits on any number of threads.
///
/// # Panics
/// When a slice's length does not belong to the shape, or bf16 is asked for where it is not offered.
pub fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    check_len("input", input.len(), shape.input_len());
    check_len("output gradient", output_gradient.len(), shape.output_len());
    check_len("gradient", gradient.len(), shape.weight_len());
    if shape.is_grouped() {
        return grouped::weight_gradient(isa, shape, input, output_gradient, gradient);
    }
    one_group::weight_gradient(isa, shape, input, output_gradient, gradient);
}

/// The gradient to the bias of [`forward`]: for every output channel, the sum of the gradient to the output.
///
/// The bits do not depend on the number of threads.
///
/// # Panics
/// When a slice's length does not belong to the shape.
pub fn bias_gradient<T: Element>(isa: Isa, shape: &Conv2dShape, output_gradient: &[T], gradient: &mut [f32]) {
    let channels = shape.options().outputs;
    check_len("output gradient", output_gradient.len(), shape.output_len());
    check_len("gradient", gradient.len(), channels);
    let stretch = stretch_pixels(channels) * channels;
    let [sums] = channel_sums(shape.output_len() / channels, channels, |index, [sums]| {
        let end = ((index + 1) * stretch).min(output_gradient.len());
        add_pixels(isa, &output_gradient[index * stretch..end], sums);
    });
    for (to, sum) in gradient.iter_mut().zip(sums) {
        *to = sum as f32;
    }
}

vectorised! {
    /// Adds pixels to the sums of their channels.
    fn add_pixels<T: Element>(pixels: &[T], sums: &mut [f32]) {
        for pixel in pixels.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += value.to_f32();
            }
        }
    }
}
