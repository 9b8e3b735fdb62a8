//! The number type of feature maps.

use std::fmt;
use std::str::FromStr;

use burn::tensor::FloatDType;
use cairn_kernels::Isa;
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

    /// As Burn names it.
    pub(crate) fn dtype(self) -> FloatDType {
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
    #[error("this machine does not support {0} with {isa}: use f32", isa = Isa::best().name())]
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
