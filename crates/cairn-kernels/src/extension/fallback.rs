//! The operations of [`NetworkOps`](super::NetworkOps) and [`PixelOps`](super::PixelOps) on Burn's own, for every device
//! without kernels.

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{DType, FloatDType, IndexingUpdateOp, Shape, Slice, TensorData};
use burn_std::ops::ConvOptions;

use super::{ConvGeometry, FixedNorm, FoldedConvCache, Normalised, Optional, PoolGeometry};
use crate::activation::Activation;
use crate::clamp::Clamp;
use crate::optimiser::{Adam, AdamFactors, Sgd};

/// From `[batch, height, width, channels]` to `[batch, channels, height, width]`, as a view.
fn planes<B: Backend>(map: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(map, &[0, 3, 1, 2])
}

/// The other way round.
fn pixels<B: Backend>(planes: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(planes, &[0, 2, 3, 1])
}

fn cast<B: Backend>(tensor: FloatTensor<B>, dtype: FloatDType) -> FloatTensor<B> {
    if tensor.dtype() == DType::from(dtype) { tensor } else { B::float_cast(tensor, dtype) }
}

/// A tensor in the type of the map that it meets.
fn like<B: Backend>(tensor: FloatTensor<B>, map: &FloatTensor<B>) -> FloatTensor<B> {
    cast::<B>(tensor, map.dtype().into())
}

pub(crate) fn to_map<B: Backend>(planes: FloatTensor<B>, dtype: FloatDType) -> FloatTensor<B> {
    cast::<B>(pixels::<B>(planes), dtype)
}

pub(crate) fn from_map<B: Backend>(map: FloatTensor<B>) -> FloatTensor<B> {
    cast::<B>(planes::<B>(map), FloatDType::F32)
}

pub(crate) fn map_conv2d<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Optional<B>,
    geometry: ConvGeometry,
) -> FloatTensor<B> {
    let ConvGeometry { stride, padding, groups } = geometry;
    let weight = like::<B>(weight, &input);
    let bias = match bias {
        Optional::Given(bias) => Some(like::<B>(bias, &input)),
        Optional::Absent => None,
    };
    let (maps, kernels) = (input.shape(), weight.shape());
    // Sizes that cannot be counted were refused when the map was made.
    let around = |axis: usize| padding.along(maps[axis], kernels[axis + 1], stride).unwrap_or_default();
    let [[above, below], [left, right]] = [around(1), around(2)];
    let planes = planes::<B>(input);
    // Burn's convolution pads both sides alike.
    let (planes, padding) = if above == below && left == right {
        (planes, [above, left])
    } else {
        (zeros_after::<B>(planes, [below - above, right - left]), [above, left])
    };
    let options = ConvOptions::new([stride; 2], padding, [1; 2], groups);
    pixels::<B>(B::conv2d(planes, weight, bias, options))
}

/// `[batch, channels, height, width]` with rows of zeros below and columns of zeros at the right.
fn zeros_after<B: Backend>(planes: FloatTensor<B>, [below, right]: [usize; 2]) -> FloatTensor<B> {
    let shape = planes.shape();
    let [batch, channels, height, width] = [shape[0], shape[1], shape[2], shape[3]];
    let larger = Shape::new([batch, channels, height + below, width + right]);
    let zeros = B::float_zeros(larger, &planes.device(), planes.dtype().into());
    let place = [0..batch, 0..channels, 0..height, 0..width].map(Slice::from);
    B::float_slice_assign(zeros, &place, planes)
}

/// Only kernels fold; Burn's operations take the weights as they are.
#[allow(clippy::too_many_arguments)]
pub(crate) fn map_conv2d_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Optional<B>,
    geometry: ConvGeometry,
    norm: FixedNorm<B>,
    epsilon: f32,
    residual: Optional<B>,
    activation: Clamp,
    _folded: &FoldedConvCache,
) -> FloatTensor<B> {
    let map = map_conv2d::<B>(input, weight, bias, geometry);
    map_norm_fixed::<B>(map, norm, epsilon, residual, activation)
}

/// Statistics in f32 whatever the map is made of, as the kernels have them.
pub(crate) fn map_norm_train<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f32,
    residual: Optional<B>,
    activation: Clamp,
) -> Normalised<B> {
    let dtype = input.dtype().into();
    let wide = cast::<B>(planes::<B>(input), FloatDType::F32);
    let batch = B::batch_norm_train(wide, weight, bias, f64::from(epsilon));
    let map = cast::<B>(pixels::<B>(batch.output), dtype);
    (map_activate::<B>(map, residual, activation), batch.mean, batch.variance)
}

pub(crate) fn map_norm_fixed<B: Backend>(
    input: FloatTensor<B>,
    norm: FixedNorm<B>,
    epsilon: f32,
    residual: Optional<B>,
    activation: Clamp,
) -> FloatTensor<B> {
    let dtype = input.dtype().into();
    let wide = cast::<B>(planes::<B>(input), FloatDType::F32);
    let FixedNorm { weight, bias, mean, variance } = norm;
    let normalised = B::batch_norm(wide, weight, bias, mean, variance, f64::from(epsilon));
    map_activate::<B>(cast::<B>(pixels::<B>(normalised), dtype), residual, activation)
}

pub(crate) fn map_activate<B: Backend>(
    input: FloatTensor<B>,
    residual: Optional<B>,
    activation: Clamp,
) -> FloatTensor<B> {
    let sum = match residual {
        Optional::Given(residual) => B::float_add(input, residual),
        Optional::Absent => input,
    };
    map_activation::<B>(sum, activation.into())
}

/// Both arms are the map itself; Burn adds up what comes back.
pub(crate) fn map_fork<B: Backend>(input: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    (input.clone(), input)
}

pub(crate) fn map_max_pool2d<B: Backend>(input: FloatTensor<B>, geometry: PoolGeometry) -> FloatTensor<B> {
    let PoolGeometry { window, stride, padding, ceil_mode } = geometry;
    let planes = planes::<B>(input);
    pixels::<B>(B::max_pool2d(planes, [window; 2], [stride; 2], [padding; 2], [1; 2], ceil_mode))
}

pub(crate) fn map_average<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let shape = input.shape();
    let (batch, area, channels) = (shape[0], shape[1] * shape[2], shape[3]);
    let rows = B::float_reshape(cast::<B>(input, FloatDType::F32), Shape::new([batch, area, channels]));
    B::float_reshape(B::float_mean_dim(rows, 1), Shape::new([batch, channels]))
}

pub(crate) fn map_activation<B: Backend>(input: FloatTensor<B>, activation: Activation) -> FloatTensor<B> {
    let hard_sigmoid = |input| B::hard_sigmoid(input, (1.0 / 6.0).into(), 0.5.into());
    match activation {
        Activation::Identity => input,
        Activation::Relu => B::relu(input),
        Activation::Relu6 => B::float_clamp(input, 0.0.into(), 6.0.into()),
        Activation::Sigmoid => B::sigmoid(input),
        Activation::Silu => B::float_mul(input.clone(), B::sigmoid(input)),
        Activation::Gelu => B::gelu(input),
        Activation::HardSigmoid => hard_sigmoid(input),
        Activation::HardSwish => B::float_mul(input.clone(), hard_sigmoid(input)),
    }
}

pub(crate) fn map_scale<B: Backend>(input: FloatTensor<B>, factors: FloatTensor<B>) -> FloatTensor<B> {
    let shape = factors.shape();
    let factors = B::float_reshape(factors, Shape::new([shape[0], 1, 1, shape[1]]));
    let factors = like::<B>(factors, &input);
    B::float_mul(input, factors)
}

/// In f32 whatever the map is made of, as the kernels have it.
pub(crate) fn map_layer_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f32,
) -> FloatTensor<B> {
    let dtype = input.dtype().into();
    let wide = cast::<B>(input, FloatDType::F32);
    let channels = wide.shape()[3];
    let centred = B::float_sub(wide.clone(), B::float_mean_dim(wide, 3));
    let variance = B::float_mean_dim(B::float_mul(centred.clone(), centred.clone()), 3);
    let deviation = B::float_sqrt(B::float_add_scalar(variance, epsilon.into()));
    let along_channels = |vector| B::float_reshape(vector, Shape::new([1, 1, 1, channels]));
    let scaled = B::float_mul(B::float_div(centred, deviation), along_channels(weight));
    cast::<B>(B::float_add(scaled, along_channels(bias)), dtype)
}

pub(crate) fn sgd_step<B: Backend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    sgd: Sgd,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let Sgd { learning_rate, momentum, weight_decay, nesterov } = sgd;
    let gradient = B::float_add(gradient, B::float_mul_scalar(weight.clone(), weight_decay.into()));
    let velocity = B::float_add(B::float_mul_scalar(velocity, momentum.into()), gradient.clone());
    let step = if nesterov {
        B::float_add(gradient, B::float_mul_scalar(velocity.clone(), momentum.into()))
    } else {
        velocity.clone()
    };
    (B::float_sub(weight, B::float_mul_scalar(step, learning_rate.into())), velocity)
}

pub(crate) fn take_columns<B: Backend>(matrix: FloatTensor<B>, columns: &[u32]) -> FloatTensor<B> {
    let indices = indices::<B>(columns, &matrix.device());
    B::float_select(matrix, 1, indices)
}

pub(crate) fn put_columns<B: Backend>(
    matrix: FloatTensor<B>,
    taken: FloatTensor<B>,
    columns: &[u32],
) -> FloatTensor<B> {
    let indices = indices::<B>(columns, &matrix.device());
    B::float_select_assign(matrix, 1, indices, taken, IndexingUpdateOp::Assign)
}

fn indices<B: Backend>(columns: &[u32], device: &Device<B>) -> IntTensor<B> {
    // Every device has 32-bit integers, and no matrix of f32 fits into memory that has 2^31 columns.
    let columns: Vec<i32> = columns.iter().map(|&column| column.cast_signed()).collect();
    let count = columns.len();
    B::int_from_data(TensorData::new(columns, [count]), device)
}

pub(crate) fn lerp<B: Backend>(mean: FloatTensor<B>, values: FloatTensor<B>, share: f32) -> FloatTensor<B> {
    let way = B::float_sub(values, mean.clone());
    B::float_add(mean, B::float_mul_scalar(way, share.into()))
}

pub(crate) fn adam_step<B: Backend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    adam: Adam,
    step: u32,
) -> Normalised<B> {
    let factors = AdamFactors::new(&adam, step);
    let mix = |old: FloatTensor<B>, new: FloatTensor<B>, beta: f32| {
        B::float_add(B::float_mul_scalar(old, beta.into()), B::float_mul_scalar(new, (1.0 - beta).into()))
    };
    let gradient = B::float_add(gradient, B::float_mul_scalar(weight.clone(), factors.penalty.into()));
    let first = mix(first, gradient.clone(), adam.beta1);
    let second = mix(second, B::float_mul(gradient.clone(), gradient), adam.beta2);
    let root = B::float_mul_scalar(B::float_sqrt(second.clone()), factors.root_correction.into());
    let root = B::float_add_scalar(root, adam.epsilon.into());
    let step = B::float_div(B::float_mul_scalar(first.clone(), factors.rate.into()), root);
    (B::float_sub(B::float_mul_scalar(weight, factors.shrink.into()), step), first, second)
}
