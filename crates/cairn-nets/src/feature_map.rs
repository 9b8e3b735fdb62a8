//! Feature maps, and the number type that they are made of.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{FloatDType, Tensor};
use cairn_kernels::layers::{self, PoolGeometry};
use cairn_kernels::{Activation, Isa};
use serde::{Deserialize, Serialize};

/// The number type of feature maps. Weights, statistics and sums are f32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits: eight of them for the exponent, as in f32, and eight for the value.
    Bf16,
}

impl Precision {
    /// Bf16 where the processor multiplies it faster than f32, and the kernels run.
    pub fn best() -> Self {
        if Self::Bf16.is_offered() { Self::Bf16 } else { Self::F32 }
    }

    /// Whether this machine's kernels compute in it.
    pub fn is_offered(self) -> bool {
        self == Self::F32 || (Isa::best().has_bf16() && cairn_kernels::extension::kernels_enabled())
    }

    /// The name on the command line and in run records.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    fn dtype(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::Bf16 => FloatDType::BF16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No precision has this name, or this machine does not compute in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrecisionError {
    /// Neither of the two.
    #[error("no precision is called `{0}`; there are f32 and bf16")]
    Unknown(String),
    /// The processor has no bf16 products.
    #[error("this machine does not compute in {0} with {isa}: use f32", isa = Isa::best().name())]
    NotOffered(Precision),
}

impl FromStr for Precision {
    type Err = PrecisionError;

    /// A precision that this machine computes in.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = [Self::F32, Self::Bf16].into_iter().find(|precision| precision.name() == name);
        match named {
            None => Err(PrecisionError::Unknown(name.to_owned())),
            Some(precision) if !precision.is_offered() => Err(PrecisionError::NotOffered(precision)),
            Some(precision) => Ok(precision),
        }
    }
}

/// A feature map: `[batch, height, width, channels]`, pixel by pixel from the photo to the last pool.
#[derive(Debug, Clone)]
pub(crate) struct FeatureMap(pub(crate) Tensor<4>);

impl FeatureMap {
    /// From photos, `[batch, 3, height, width]`.
    pub(crate) fn from_images(images: Tensor<4>, precision: Precision) -> Self {
        Self(layers::to_map(images, precision.dtype()))
    }

    /// ReLU.
    pub(crate) fn relu(self) -> Self {
        Self(layers::activate(self.0, None, Activation::Relu))
    }

    /// The 2 x 2 max pool with stride 2 that halves a map, dropping an odd last row or column.
    pub(crate) fn halve(self) -> Self {
        self.max_pool(PoolGeometry { window: 2, stride: 2, padding: 0 })
    }

    /// The greatest of every window.
    pub(crate) fn max_pool(self, geometry: PoolGeometry) -> Self {
        Self(layers::max_pool2d(self.0, geometry))
    }

    /// Mean over the pixels: `[batch, channels]`.
    pub(crate) fn average(self) -> Tensor<2> {
        layers::average(self.0)
    }

    /// All values of each photo, channel by channel as PyTorch flattens: `[batch, channels * height * width]`.
    pub(crate) fn flatten(self) -> Tensor<2> {
        layers::from_map(self.0).flatten(1, 3)
    }
}
