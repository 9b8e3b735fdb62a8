//! The layers of convolutional networks on Burn's tensors.
//!
//! On Burn's CPU backend they run the kernels, with or without gradients. On other backends, and under
//! `CAIRN_KERNELS=off`, they run Burn's own operations. Maps are `[batch, height, width, channels]` of f32 or bf16 from
//! [`to_map`] to [`average`] or [`from_map`]. Weights are f32 in torchvision's layout.

use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};

use crate::activation::Activation;
use crate::clamp::Clamp;
pub use crate::extension::{ConvGeometry, FoldedConvCache, PoolGeometry};
use crate::extension::{FixedNorm, NetworkOps, Optional, PixelOps, fallback, kernels_enabled};
use crate::memory::Buffer;
use crate::optimiser::{Adam, Sgd};

/// A batch norm with given statistics; all tensors are `[channels]`.
#[derive(Clone, Debug)]
pub struct GivenNorm {
    /// Scale.
    pub weight: Tensor<1>,
    /// Shift.
    pub bias: Tensor<1>,
    /// Mean.
    pub mean: Tensor<1>,
    /// Variance.
    pub variance: Tensor<1>,
    /// Added to the variance, against division by zero.
    pub epsilon: f32,
}

/// The results of a batch norm in training.
#[derive(Clone, Debug)]
pub struct TrainedNorm {
    /// The map.
    pub output: Tensor<4>,
    /// The batch's mean, `[channels]`, without a gradient.
    pub mean: Tensor<1>,
    /// The batch's biased variance, `[channels]`, without a gradient.
    pub variance: Tensor<1>,
}

/// Photos on a device: `pixels` is `[batch, 3, height, width]`.
///
/// On the CPU their memory is used again from step to step, as that of maps.
///
/// # Panics
/// When `pixels` does not fill the shape.
pub fn images(pixels: &[f32], shape: [usize; 4], device: &Device) -> Tensor<4> {
    let mut buffer = Buffer::of::<f32>(pixels.len());
    buffer.as_mut_slice(pixels.len()).copy_from_slice(pixels);
    let bytes = buffer.into_bytes::<f32>(pixels.len());
    Tensor::from_data(TensorData::from_bytes(bytes, shape, DType::F32), device)
}

/// Runs an operation: its kernel where the device has one, or else Burn's own operations.
macro_rules! run {
    ($operation:ident($($argument:expr),* $(,)?)) => {
        if kernels_enabled() {
            Dispatch::$operation($($argument),*)
        } else {
            fallback::$operation::<Dispatch>($($argument),*)
        }
    };
}

fn optional<const D: usize>(tensor: Option<Tensor<D>>) -> Optional<Dispatch> {
    tensor.map_or(Optional::Absent, |tensor| Optional::Given(tensor.into_dispatch()))
}

fn map(tensor: DispatchTensor) -> Tensor<4> {
    Tensor::from_dispatch(tensor)
}

impl GivenNorm {
    fn into_operand(self) -> FixedNorm<Dispatch> {
        FixedNorm {
            weight: self.weight.into_dispatch(),
            bias: self.bias.into_dispatch(),
            mean: self.mean.into_dispatch(),
            variance: self.variance.into_dispatch(),
        }
    }
}

/// `[batch, channels, height, width]` of f32 to a map of the given type.
pub fn to_map(planes: Tensor<4>, dtype: FloatDType) -> Tensor<4> {
    map(run!(to_map(planes.into_dispatch(), dtype)))
}

/// A map to `[batch, channels, height, width]` of f32.
pub fn from_map(tensor: Tensor<4>) -> Tensor<4> {
    map(run!(from_map(tensor.into_dispatch())))
}

/// Convolution with weights `[outputs, inputs / groups, height, width]` and an optional bias `[outputs]`.
///
/// # Panics
/// When the shapes do not match.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: ConvGeometry,
) -> Tensor<4> {
    map(run!(map_conv2d(input.into_dispatch(), weight.into_dispatch(), optional(bias), geometry)))
}

/// Convolution, batch norm with given statistics, residual add and activation: one pass, if the activation is a
/// [`Clamp`].
///
/// For evaluation and for frozen norms: gradients go to input, weight, bias and residual alone. `folded` belongs to the
/// layer; it keeps the weights with the norm folded in.
///
/// # Panics
/// When the shapes do not match.
#[allow(clippy::too_many_arguments)]
pub fn conv2d_norm(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: ConvGeometry,
    norm: GivenNorm,
    residual: Option<Tensor<4>>,
    activation: Activation,
    folded: &FoldedConvCache,
) -> Tensor<4> {
    let (epsilon, clamp) = (norm.epsilon, activation.as_clamp());
    let output = map(run!(map_conv2d_norm(
        input.into_dispatch(),
        weight.into_dispatch(),
        optional(bias),
        geometry,
        norm.into_operand(),
        epsilon,
        optional(residual),
        clamp.unwrap_or_default(),
        folded,
    )));
    activate_unless(clamp, output, activation)
}

/// Batch norm with the batch's own statistics, residual add and activation.
pub fn norm_train(
    input: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f32,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> TrainedNorm {
    let (weight, bias, clamp) = (weight.into_dispatch(), bias.into_dispatch(), activation.as_clamp());
    let (output, mean, variance) = run!(map_norm_train(
        input.into_dispatch(),
        weight,
        bias,
        epsilon,
        optional(residual),
        clamp.unwrap_or_default(),
    ));
    TrainedNorm {
        output: activate_unless(clamp, map(output), activation),
        mean: Tensor::from_dispatch(mean).detach(),
        variance: Tensor::from_dispatch(variance).detach(),
    }
}

/// Batch norm with given statistics, residual add and activation.
pub fn norm_fixed(
    input: Tensor<4>,
    norm: GivenNorm,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let (epsilon, clamp) = (norm.epsilon, activation.as_clamp());
    let (norm, fused) = (norm.into_operand(), clamp.unwrap_or_default());
    let output = map(run!(map_norm_fixed(input.into_dispatch(), norm, epsilon, optional(residual), fused)));
    activate_unless(clamp, output, activation)
}

/// Residual add (where there is one) and activation.
pub fn activate(input: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
    let clamp = activation.as_clamp();
    if clamp.is_none() && residual.is_none() {
        return activate_unless(clamp, input, activation);
    }
    let fused = clamp.unwrap_or_default();
    let output = map(run!(map_activate(input.into_dispatch(), optional(residual), fused)));
    activate_unless(clamp, output, activation)
}

/// An activation in a pass of its own, unless it was a clamp and has been computed already.
fn activate_unless(clamp: Option<Clamp>, input: Tensor<4>, activation: Activation) -> Tensor<4> {
    match clamp {
        Some(_) => input,
        None => map(run!(map_activation(input.into_dispatch(), activation))),
    }
}

/// The map twice, where two paths part, as in a residual block.
///
/// # Panics
/// In the backward pass, when one of the two does not lead to the loss.
pub fn fork(input: Tensor<4>) -> [Tensor<4>; 2] {
    let (first, second) = run!(map_fork(input.into_dispatch()));
    [map(first), map(second)]
}

/// Max pool: the greatest value of every window.
///
/// # Panics
/// When the window does not fit into the map.
pub fn max_pool2d(input: Tensor<4>, geometry: PoolGeometry) -> Tensor<4> {
    map(run!(map_max_pool2d(input.into_dispatch(), geometry)))
}

/// Every pixel times its photo's factors, `[batch, channels]` of f32.
pub fn scale(input: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
    map(run!(map_scale(input.into_dispatch(), factors.into_dispatch())))
}

/// Layer norm over the channels of each pixel, with weight and bias `[channels]` of f32.
pub fn layer_norm(input: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f32) -> Tensor<4> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    map(run!(map_layer_norm(input.into_dispatch(), weight, bias, epsilon)))
}

/// The mean over every photo's map: `[batch, channels]` of f32.
pub fn average(input: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(run!(map_average(input.into_dispatch())))
}

/// A step of SGD: the weight and its velocity after it.
pub fn sgd_step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    sgd: Sgd,
) -> [Tensor<D>; 2] {
    let [weight, gradient, velocity] = [weight, gradient, velocity].map(Tensor::into_dispatch);
    let (weight, velocity) = run!(sgd_step(weight, gradient, velocity, sgd));
    [weight, velocity].map(Tensor::from_dispatch)
}

/// Some columns of a matrix, `[rows, columns]` to `[rows, taken]`, without gradients.
pub fn take_columns(matrix: Tensor<2>, columns: &[u32]) -> Tensor<2> {
    Tensor::from_dispatch(run!(take_columns(matrix.into_dispatch(), columns)))
}

/// The matrix with these columns in the place of those that were [taken](take_columns); none may come twice.
///
/// In place where nothing else holds the matrix.
pub fn put_columns(matrix: Tensor<2>, taken: Tensor<2>, columns: &[u32]) -> Tensor<2> {
    Tensor::from_dispatch(run!(put_columns(matrix.into_dispatch(), taken.into_dispatch(), columns)))
}

/// A running mean after new values of its shape: `mean + share * (values - mean)`.
///
/// In place where nothing else holds the mean. Where both are the same memory, nothing is computed.
pub fn lerp<const D: usize>(mean: Tensor<D>, values: Tensor<D>, share: f32) -> Tensor<D> {
    Tensor::from_dispatch(run!(lerp(mean.into_dispatch(), values.into_dispatch(), share)))
}

/// A step of Adam or AdamW, counted from one: the weight and its moments (`[first, second]`) after it.
pub fn adam_step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
    adam: Adam,
    step: u32,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let [first, second] = moments.map(Tensor::into_dispatch);
    let (weight, gradient) = (weight.into_dispatch(), gradient.into_dispatch());
    let (weight, first, second) = run!(adam_step(weight, gradient, first, second, adam, step));
    (Tensor::from_dispatch(weight), [first, second].map(Tensor::from_dispatch))
}
