//! What the operations take and give beside maps.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType};

use crate::shape::Padding;

/// Stride, padding and groups of a convolution with the same stride along both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Step from one output pixel to the next.
    pub stride: usize,
    /// Zeros around the map.
    pub padding: Padding,
    /// Groups of channels: one for a dense convolution, the number of channels for a depthwise one.
    pub groups: usize,
}

/// Window, stride and padding of a max pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolGeometry {
    /// Height and width of the window.
    pub window: usize,
    /// Step from one window to the next.
    pub stride: usize,
    /// Pixels of minus infinity around the map, on every side.
    pub padding: usize,
    /// Whether a last window that ends beyond the padding counts, if it begins in the map or the padding before it.
    pub ceil_mode: bool,
}

/// An optional tensor: a bias, or a residual.
#[derive(Clone, Debug, ExtensionType)]
pub enum Optional<B: Backend> {
    /// There is one.
    Given(FloatTensor<B>),
    /// There is none.
    Absent,
}

/// Batch norm with given statistics: all `[channels]`, of f32.
#[derive(Clone, Debug, ExtensionType)]
pub struct FixedNorm<B: Backend> {
    /// Scale.
    pub weight: FloatTensor<B>,
    /// Shift.
    pub bias: FloatTensor<B>,
    /// Running mean.
    pub mean: FloatTensor<B>,
    /// Running variance.
    pub variance: FloatTensor<B>,
}

/// The results of a batch norm in training: `(output, mean, variance)`, the variance biased, both `[channels]`.
pub(crate) type Normalised<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);
