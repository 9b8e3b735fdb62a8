//! Convolutions of one group of channels, or of a channel a group, by the kernel that suits the shape. Lengths were checked
//! before.

use super::axis::{Axis, Sweep};
use super::epilogue::Epilogue;
use super::gather::Gather;
use super::pack::PackedWeights;
use super::patch::Map;
use super::weight_gradient::WeightGradient;
use super::{amx, depthwise, vector, winograd};
use crate::element::Element;
use crate::isa::Isa;
use crate::microkernel::amx::with_unit;
use crate::shape::Conv2dShape;

/// Convolves.
pub(super) fn forward<T: Element>(
    shape: &Conv2dShape,
    input: &[T],
    weights: &PackedWeights<T>,
    epilogue: Epilogue<'_, T>,
    output: &mut [T],
) {
    let options = shape.options();
    if shape.is_depthwise() {
        return depthwise::gather(shape, input, weights, epilogue, output);
    }
    if weights.winograd {
        return winograd::Product {
            source: Map { pixels: input, extent: options.map, channels: options.inputs },
            batch: options.batch,
            padding: shape.leading_zeros().height,
            weights,
            destination: shape.output_map(),
            destination_channels: options.outputs,
            epilogue,
        }
        .run(output);
    }
    let (kernel, positions, zeros) = (options.kernel, shape.output_map(), shape.leading_zeros());
    let sweep = Sweep {
        rows: Axis::forward(kernel.height, options.stride, zeros.height, positions.height),
        columns: Axis::forward(kernel.width, options.stride, zeros.width, positions.width),
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

/// The gradient to the input.
pub(super) fn input_gradient<T: Element>(
    shape: &Conv2dShape,
    output_gradient: &[T],
    weights: &PackedWeights<T>,
    input_gradient: &mut [T],
) {
    let options = shape.options();
    if shape.is_depthwise() {
        return depthwise::gather(shape, output_gradient, weights, Epilogue::default(), input_gradient);
    }
    if weights.winograd {
        return winograd::Product {
            source: Map { pixels: output_gradient, extent: shape.output_map(), channels: options.outputs },
            batch: options.batch,
            padding: 2 - shape.leading_zeros().height,
            weights,
            destination: options.map,
            destination_channels: options.inputs,
            epilogue: Epilogue::default(),
        }
        .run(input_gradient);
    }
    let (kernel, map, zeros) = (options.kernel, options.map, shape.leading_zeros());
    let columns = Axis::backward(kernel.width, options.stride, zeros.width, map.width);
    let sweeps = Axis::backward(kernel.height, options.stride, zeros.height, map.height)
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

/// The gradient to the weights.
pub(super) fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
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
