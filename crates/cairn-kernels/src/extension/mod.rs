//! The kernels as operations on Burn's tensors, with gradients.
//!
//! [`NetworkOps`] is a backend extension. On Burn's CPU backend its operations run this crate's kernels, forward and
//! backward; every other device falls back on Burn's own operations. [`layers`](crate::layers) offers the operations on
//! [`Tensor`](burn::tensor::Tensor)s, and falls back on the CPU too under `CAIRN_KERNELS=off`.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod fallback;
mod flex;
mod folded_conv_cache;
mod map;
mod operands;
mod pixels;

pub use folded_conv_cache::FoldedConvCache;
pub(crate) use operands::Normalised;
pub use operands::{ConvGeometry, FixedNorm, Optional, PoolGeometry};
pub use pixels::PixelOps;

use std::sync::OnceLock;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::FloatDType;

use crate::clamp::Clamp;
use crate::optimiser::{Adam, Sgd};

/// The layers of convolutional networks.
///
/// Maps are `[batch, height, width, channels]`, of f32 or bf16. Weights are f32 in torchvision's layout, and so are their
/// gradients.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait NetworkOps: Backend {
    /// `[batch, channels, height, width]` to a map of the given type.
    fn to_map(planes: FloatTensor<Self>, dtype: FloatDType) -> FloatTensor<Self> {
        fallback::to_map::<Self>(planes, dtype)
    }

    /// A map to `[batch, channels, height, width]` of f32.
    fn from_map(map: FloatTensor<Self>) -> FloatTensor<Self> {
        fallback::from_map::<Self>(map)
    }

    /// Convolution with weights `[outputs, inputs / groups, height, width]` and an optional bias `[outputs]`.
    fn map_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Optional<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        fallback::map_conv2d::<Self>(input, weight, bias, geometry)
    }

    /// Convolution, batch norm with given statistics, residual add and activation in one pass: for evaluation, and for
    /// frozen norms. Gradients go to input, weight and residual.
    ///
    /// `folded` keeps the weights with the norm folded in; the caller has one for each layer.
    #[allow(clippy::too_many_arguments)]
    fn map_conv2d_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Optional<Self>,
        geometry: ConvGeometry,
        #[extension_type] norm: FixedNorm<Self>,
        epsilon: f32,
        #[extension_type] residual: Optional<Self>,
        activation: Clamp,
        folded: &FoldedConvCache,
    ) -> FloatTensor<Self> {
        fallback::map_conv2d_norm::<Self>(
            input, weight, bias, geometry, norm, epsilon, residual, activation, folded,
        )
    }

    /// Batch norm with the batch's own statistics, residual add and activation.
    fn map_norm_train(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
        #[extension_type] residual: Optional<Self>,
        activation: Clamp,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        fallback::map_norm_train::<Self>(input, weight, bias, epsilon, residual, activation)
    }

    /// Batch norm with given statistics, residual add and activation.
    fn map_norm_fixed(
        input: FloatTensor<Self>,
        #[extension_type] norm: FixedNorm<Self>,
        epsilon: f32,
        #[extension_type] residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        fallback::map_norm_fixed::<Self>(input, norm, epsilon, residual, activation)
    }

    /// Residual add (where there is one) and activation.
    fn map_activate(
        input: FloatTensor<Self>,
        #[extension_type] residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        fallback::map_activate::<Self>(input, residual, activation)
    }

    /// The map twice, where two paths part; both must lead to the loss.
    fn map_fork(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        fallback::map_fork::<Self>(input)
    }

    /// Max pool: the greatest value of every window.
    fn map_max_pool2d(input: FloatTensor<Self>, geometry: PoolGeometry) -> FloatTensor<Self> {
        fallback::map_max_pool2d::<Self>(input, geometry)
    }

    /// The mean over every photo's map: `[batch, channels]` of f32.
    fn map_average(input: FloatTensor<Self>) -> FloatTensor<Self> {
        fallback::map_average::<Self>(input)
    }

    /// A step of SGD: `(weight, velocity)` after it. Of f32, any shape.
    fn sgd_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        sgd: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        fallback::sgd_step::<Self>(weight, gradient, velocity, sgd)
    }

    /// A step of Adam or AdamW, the `step`th from one on: `(weight, first, second)` after it. Of f32, any shape.
    fn adam_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        adam: Adam,
        step: u32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        fallback::adam_step::<Self>(weight, gradient, first, second, adam, step)
    }

    /// Some columns of a matrix, `[rows, columns]` to `[rows, taken]`. Of f32, without gradients.
    fn take_columns(matrix: FloatTensor<Self>, columns: &[u32]) -> FloatTensor<Self> {
        fallback::take_columns::<Self>(matrix, columns)
    }

    /// The matrix with these columns in the place of those that were [taken](Self::take_columns); none may come twice.
    fn put_columns(
        matrix: FloatTensor<Self>,
        taken: FloatTensor<Self>,
        columns: &[u32],
    ) -> FloatTensor<Self> {
        fallback::put_columns::<Self>(matrix, taken, columns)
    }

    /// A running mean after values of its shape: `mean + share * (values - mean)`. Of f32, any shape.
    fn lerp(mean: FloatTensor<Self>, values: FloatTensor<Self>, share: f32) -> FloatTensor<Self> {
        fallback::lerp::<Self>(mean, values, share)
    }
}

/// Whether the CPU runs the kernels: unless the environment variable `CAIRN_KERNELS` is `off`.
pub fn kernels_enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| std::env::var("CAIRN_KERNELS").as_deref() != Ok("off"))
}
