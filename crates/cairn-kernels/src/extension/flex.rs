//! The operations on Burn's CPU backend: the kernels.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::FloatDType;
use burn_flex::FlexTensor;

use super::folded_conv_cache::{Folded, FoldedConvCache};
use super::map::{MapElement, MapShape, Values, vector, with_element, written};
use super::{ConvGeometry, FixedNorm, NetworkOps, Normalised, Optional, PoolGeometry};
use crate::batch_norm::{BatchNorm, FoldedBatchNorm, Statistics};
use crate::clamp::Clamp;
use crate::conv::{self, Direction, Epilogue, PackedWeights};
use crate::isa::Isa;
use crate::optimiser::{self, Adam, AdamMoments, Sgd};
use crate::pool::{self, MaxPoolOptions, MaxPoolShape};
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::{columns, elementwise, layout};

impl NetworkOps for Flex {
    fn to_map(planes: FloatTensor<Self>, dtype: FloatDType) -> FloatTensor<Self> {
        with_element!(dtype.into(), T => to_map::<T>(&planes))
    }

    fn from_map(map: FloatTensor<Self>) -> FloatTensor<Self> {
        with_element!(map.dtype(), T => from_map::<T, f32>(&map))
    }

    fn map_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Optional<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        with_element!(input.dtype(), T => conv2d::<T>(&input, &weight, &bias, geometry))
    }

    fn map_conv2d_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Optional<Self>,
        geometry: ConvGeometry,
        norm: FixedNorm<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
        folded: &FoldedConvCache,
    ) -> FloatTensor<Self> {
        with_element!(input.dtype(), T => {
            let shape = conv_shape(&input, &weight, geometry);
            let folded = fold::<T>(folded, &shape, &weight, &bias, &norm, epsilon);
            let epilogue = (Some(folded.bias.as_slice()), &residual, activation);
            convolve::<T>(&shape, &input, &folded.weights, epilogue)
        })
    }

    fn map_norm_train(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> Normalised<Self> {
        let statistics = with_element!(input.dtype(), T => {
            Statistics::of_batch(Isa::best(), MapShape::of(&input).channels, Values::new(&input).of::<T>())
        });
        let output = normalise(&input, [&weight, &bias], epsilon, &statistics, &residual, activation);
        (output, vector(statistics.mean), vector(statistics.variance))
    }

    fn map_norm_fixed(
        input: FloatTensor<Self>,
        norm: FixedNorm<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        let given = statistics(&norm.mean, &norm.variance);
        normalise(&input, [&norm.weight, &norm.bias], epsilon, &given, &residual, activation)
    }

    fn map_activate(
        input: FloatTensor<Self>,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        with_element!(input.dtype(), T => activate::<T>(&input, &residual, activation))
    }

    fn map_max_pool2d(input: FloatTensor<Self>, geometry: PoolGeometry) -> FloatTensor<Self> {
        with_element!(input.dtype(), T => max_pool2d::<T>(&input, geometry).0)
    }

    fn map_average(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let MapShape { batch, channels, .. } = MapShape::of(&input);
        with_element!(input.dtype(), T => written([batch, channels], |output| {
            pool::global_average_pool(Isa::best(), channels, Values::new(&input).of::<T>(), output);
        }))
    }

    fn sgd_step(
        mut weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        mut velocity: FloatTensor<Self>,
        sgd: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        weight = in_order(weight);
        let gradient = Values::new(&gradient);
        // In place if nothing else holds the weights, as in training.
        sgd.step(Isa::best(), weight.storage_mut(), gradient.of(), velocity.storage_mut());
        (weight, velocity)
    }

    fn adam_step(
        mut weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        mut first: FloatTensor<Self>,
        mut second: FloatTensor<Self>,
        adam: Adam,
        step: u32,
    ) -> Normalised<Self> {
        weight = in_order(weight);
        let gradient = Values::new(&gradient);
        let moments = AdamMoments { first: first.storage_mut(), second: second.storage_mut() };
        adam.step(Isa::best(), step, weight.storage_mut(), gradient.of(), moments);
        (weight, first, second)
    }

    fn take_columns(matrix: FloatTensor<Self>, columns: &[u32]) -> FloatTensor<Self> {
        let shape = matrix.layout().shape();
        let (rows, width) = (shape[0], shape[1]);
        written([rows, columns.len()], |taken| {
            columns::take(width, columns, Values::new(&matrix).of(), taken);
        })
    }

    fn put_columns(
        mut matrix: FloatTensor<Self>,
        taken: FloatTensor<Self>,
        columns: &[u32],
    ) -> FloatTensor<Self> {
        matrix = in_order(matrix);
        let width = matrix.layout().shape()[1];
        let taken = Values::new(&taken);
        // In place if nothing else holds the matrix, as in training.
        columns::put(width, columns, matrix.storage_mut(), taken.of());
        matrix
    }

    fn lerp(mut mean: FloatTensor<Self>, values: FloatTensor<Self>, share: f32) -> FloatTensor<Self> {
        // A layer that does not learn keeps the memory that its mean began with.
        if Arc::ptr_eq(&mean.data_arc(), &values.data_arc()) && mean.layout() == values.layout() {
            return mean;
        }
        mean = in_order(mean);
        let values = Values::new(&values);
        optimiser::lerp(Isa::best(), share, mean.storage_mut(), values.of());
        mean
    }
}

/// A tensor that has all of its memory to itself, in order, as writing in place needs it.
fn in_order(tensor: FlexTensor) -> FlexTensor {
    let whole = tensor.layout().contiguous_offsets() == Some((0, tensor.bytes().len() / size_of::<f32>()));
    if whole { tensor } else { tensor.to_contiguous() }
}

/// The shape of a convolution of these tensors.
pub(super) fn conv_shape(input: &FlexTensor, weight: &FlexTensor, geometry: ConvGeometry) -> Conv2dShape {
    let MapShape { batch, extent, channels } = MapShape::of(input);
    let kernel = weight.layout().shape();
    let options = Conv2dOptions {
        batch,
        map: extent,
        inputs: channels,
        outputs: kernel[0],
        kernel: Extent { height: kernel[2], width: kernel[3] },
        stride: geometry.stride,
        padding: geometry.padding,
        groups: geometry.groups,
    };
    Conv2dShape::new(options).unwrap_or_else(|error| panic!("a convolution of {options:?}: {error}"))
}

fn conv2d<T: MapElement>(
    input: &FlexTensor,
    weight: &FlexTensor,
    bias: &Optional<Flex>,
    geometry: ConvGeometry,
) -> FlexTensor {
    let shape = conv_shape(input, weight, geometry);
    let weights =
        PackedWeights::<T>::new(Isa::best(), &shape, Direction::Forward, Values::new(weight).of::<f32>());
    let bias = optional_values(bias);
    let bias = bias.as_ref().map(Values::of::<f32>);
    convolve(&shape, input, &weights, (bias, &Optional::Absent, Clamp::Identity))
}

fn convolve<T: MapElement>(
    shape: &Conv2dShape,
    input: &FlexTensor,
    weights: &PackedWeights<T>,
    (bias, residual, activation): (Option<&[f32]>, &Optional<Flex>, Clamp),
) -> FlexTensor {
    let output = MapShape {
        batch: shape.options().batch,
        extent: shape.output_map(),
        channels: shape.options().outputs,
    };
    let residual = optional_values(residual);
    let epilogue = Epilogue { bias, residual: residual.as_ref().map(Values::of::<T>), activation };
    written(output.to_array(), |output| {
        conv::forward(shape, Values::new(input).of::<T>(), weights, epilogue, output);
    })
}

fn fold<T: MapElement>(
    kept: &FoldedConvCache,
    shape: &Conv2dShape,
    weight: &FlexTensor,
    bias: &Optional<Flex>,
    norm: &FixedNorm<Flex>,
    epsilon: f32,
) -> Arc<Folded<T>> {
    let mut sources = vec![weight, &norm.weight, &norm.bias, &norm.mean, &norm.variance];
    if let Optional::Given(bias) = bias {
        sources.push(bias);
    }
    kept.get_or_make(&sources, || {
        let [scale, shift] = [&norm.weight, &norm.bias].map(Values::new);
        let layer = BatchNorm { weight: scale.of(), bias: shift.of(), epsilon };
        let before = optional_values(bias);
        let running = statistics(&norm.mean, &norm.variance);
        let weight = Values::new(weight);
        let folded = FoldedBatchNorm::new(&layer, &running, weight.of(), before.as_ref().map(Values::of));
        let weights = PackedWeights::new(Isa::best(), shape, Direction::Forward, &folded.weights);
        Folded { weights, bias: folded.bias }
    })
}

/// Mean and variance as the kernels take them.
pub(super) fn statistics(mean: &FlexTensor, variance: &FlexTensor) -> Statistics {
    let [mean, variance] = [mean, variance].map(|tensor| Values::new(tensor).of::<f32>().to_vec());
    Statistics { mean, variance }
}

fn optional_values(tensor: &Optional<Flex>) -> Option<Values> {
    match tensor {
        Optional::Given(tensor) => Some(Values::new(tensor)),
        Optional::Absent => None,
    }
}

pub(super) fn normalise(
    input: &FlexTensor,
    parameters: [&FlexTensor; 2],
    epsilon: f32,
    statistics: &Statistics,
    residual: &Optional<Flex>,
    activation: Clamp,
) -> FlexTensor {
    let [weight, bias] = parameters.map(Values::new);
    let layer = BatchNorm { weight: weight.of(), bias: bias.of(), epsilon };
    let residual = optional_values(residual);
    with_element!(input.dtype(), T => written(MapShape::of(input).to_array(), |output| {
        let (values, residual) = (Values::new(input), residual.as_ref().map(Values::of::<T>));
        layer.forward(Isa::best(), statistics, values.of::<T>(), residual, activation, output);
    }))
}

fn activate<T: MapElement>(input: &FlexTensor, residual: &Optional<Flex>, activation: Clamp) -> FlexTensor {
    let (values, residual) = (Values::new(input), optional_values(residual));
    written(input.layout().shape().clone(), |output| match &residual {
        Some(residual) => {
            elementwise::add(Isa::best(), activation, values.of::<T>(), residual.of::<T>(), output);
        }
        None => elementwise::activate(Isa::best(), activation, values.of::<T>(), output),
    })
}

pub(super) fn pool_shape(map: MapShape, geometry: PoolGeometry) -> MaxPoolShape {
    let PoolGeometry { window, stride, padding, ceil_mode } = geometry;
    let MapShape { batch, extent, channels } = map;
    let options = MaxPoolOptions { batch, map: extent, channels, window, stride, padding, ceil_mode };
    MaxPoolShape::new(options).unwrap_or_else(|error| panic!("a pool of {options:?}: {error}"))
}

/// The output, and which pixel of each window was the greatest.
pub(super) fn max_pool2d<T: MapElement>(input: &FlexTensor, geometry: PoolGeometry) -> (FlexTensor, Vec<u8>) {
    let map = MapShape::of(input);
    let shape = pool_shape(map, geometry);
    let mut taps = vec![0; shape.output_len()];
    let output = MapShape { extent: shape.output_map(), ..map };
    let output = written(output.to_array(), |output| {
        pool::max_pool(Isa::best(), &shape, Values::new(input).of::<T>(), output, &mut taps);
    });
    (output, taps)
}

/// `[batch, channels, height, width]` of f32 to a map.
pub(super) fn to_map<T: MapElement>(planes: &FlexTensor) -> FlexTensor {
    let shape = planes.layout().shape();
    let [batch, channels, height, width] = [shape[0], shape[1], shape[2], shape[3]];
    written([batch, height, width, channels], |pixels: &mut [T]| {
        let planes = Values::new(planes);
        layout::planes_to_pixels(Isa::best(), channels, height * width, planes.of::<f32>(), pixels);
    })
}

/// A map to `[batch, channels, height, width]`.
pub(super) fn from_map<T: MapElement, U: MapElement>(map: &FlexTensor) -> FlexTensor {
    let MapShape { batch, extent, channels } = MapShape::of(map);
    written([batch, channels, extent.height, extent.width], |planes: &mut [U]| {
        layout::pixels_to_planes(Isa::best(), channels, extent.area(), Values::new(map).of::<T>(), planes);
    })
}
