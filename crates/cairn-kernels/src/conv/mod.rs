//! 2-D convolutions: forward, gradient to the input, gradient to the weights and the bias.

mod amx;
mod axis;
mod bands;
mod depthwise;
mod epilogue;
mod gather;
mod grouped;
mod groups;
mod pack;
mod patch;
mod planes;
mod transpose;
mod vector;
mod weight_gradient;
mod winograd;

pub use epilogue::Epilogue;
pub use pack::{Direction, PackedWeights};

use axis::{Axis, Sweep};
use gather::Gather;
use patch::Map;
use weight_gradient::WeightGradient;

use crate::channel_sums::{channel_sums, stretch_pixels};
use crate::element::Element;
use crate::isa::Isa;
use crate::microkernel::amx::with_unit;
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
    if shape.is_depthwise() {
        return depthwise::gather(shape, input, weights, epilogue, output);
    }
    if weights.winograd {
        return winograd::Product {
            source: Map { pixels: input, extent: options.map, channels: options.inputs },
            batch: options.batch,
            padding: options.padding,
            weights,
            destination: shape.output_map(),
            destination_channels: options.outputs,
            epilogue,
        }
        .run(output);
    }
    let (kernel, positions) = (options.kernel, shape.output_map());
    let sweep = Sweep {
        rows: Axis::forward(kernel.height, options.stride, options.padding, positions.height),
        columns: Axis::forward(kernel.width, options.stride, options.padding, positions.width),
    };
    let product = Gather {
        source: Map { pixels: input, extent: options.map, channels: options.inputs },
        batch: options.batch,
        kernel_width: kernel.width,
        weights,
        sweeps: vec![sweep],
        destination: positions,
        destination_channels: options.outputs,
        epilogue,
    };
    run_gather(&product, output);
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
    let options = shape.options();
    check_len("output gradient", output_gradient.len(), shape.output_len());
    check_len("input gradient", input_gradient.len(), shape.input_len());
    weights.check(shape, Direction::InputGradient);
    if shape.is_grouped() {
        return grouped::input_gradient(shape, output_gradient, &weights.groups, input_gradient);
    }
    if shape.is_depthwise() {
        return depthwise::gather(shape, output_gradient, weights, Epilogue::default(), input_gradient);
    }
    if weights.winograd {
        return winograd::Product {
            source: Map { pixels: output_gradient, extent: shape.output_map(), channels: options.outputs },
            batch: options.batch,
            padding: 2 - options.padding,
            weights,
            destination: options.map,
            destination_channels: options.inputs,
            epilogue: Epilogue::default(),
        }
        .run(input_gradient);
    }
    let (kernel, map) = (options.kernel, options.map);
    let columns = Axis::backward(kernel.width, options.stride, options.padding, map.width);
    let sweeps = Axis::backward(kernel.height, options.stride, options.padding, map.height)
        .into_iter()
        .flat_map(|rows| columns.iter().map(move |&columns| Sweep { rows, columns }))
        .collect();
    let product = Gather {
        source: Map { pixels: output_gradient, extent: shape.output_map(), channels: options.outputs },
        batch: options.batch,
        kernel_width: kernel.width,
        weights,
        sweeps,
        destination: map,
        destination_channels: options.inputs,
        epilogue: Epilogue::default(),
    };
    run_gather(&product, input_gradient);
}

/// Computes a gathering product on the tile unit where there is one, else on vector instructions.
fn run_gather<T: Element>(product: &Gather<'_, T>, output: &mut [T]) {
    match T::tile_unit(product.weights.isa) {
        Some(unit) => with_unit!(unit, U => amx::gather::gather::<U, T>(product, output)),
        None => vector::gather::gather(product, output),
    }
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
    if shape.is_depthwise() {
        return depthwise::weight_gradient(isa, shape, input, output_gradient, gradient);
    }
    if winograd::serves::<T>(isa, shape) {
        return winograd::weight_gradient(isa, shape, input, output_gradient, gradient);
    }
    let product = WeightGradient { isa, shape, input, output_gradient };
    match T::tile_unit(isa) {
        Some(unit) => {
            with_unit!(unit, U => amx::weight_gradient::weight_gradient::<U, T>(&product, gradient));
        }
        None => vector::weight_gradient::weight_gradient(&product, gradient),
    }
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
