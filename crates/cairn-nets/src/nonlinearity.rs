//! Activation functions of either kind.

use cairn_kernels::{Activation, Curve};

use crate::graph::Op;

/// An activation function: one that clamps, and so goes into the pass of the layer before it, or one that bends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonlinearity {
    Clamp(Activation),
    Curve(Curve),
}

impl From<Activation> for Nonlinearity {
    fn from(activation: Activation) -> Self {
        Self::Clamp(activation)
    }
}

impl From<Curve> for Nonlinearity {
    fn from(curve: Curve) -> Self {
        Self::Curve(curve)
    }
}

impl Nonlinearity {
    /// As a graph has it; nothing for the identity.
    pub(crate) fn op(self) -> Option<Op> {
        Some(match self {
            Self::Clamp(Activation::Identity) => return None,
            Self::Clamp(Activation::Relu) => Op::Relu,
            Self::Clamp(Activation::Relu6) => Op::Relu6,
            Self::Curve(Curve::Sigmoid) => Op::Sigmoid,
            Self::Curve(Curve::Silu) => Op::Silu,
            Self::Curve(Curve::Gelu) => Op::Gelu,
            Self::Curve(Curve::HardSigmoid) => Op::HardSigmoid,
            Self::Curve(Curve::HardSwish) => Op::HardSwish,
        })
    }
}
