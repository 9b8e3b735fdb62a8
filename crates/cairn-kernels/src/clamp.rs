//! Activation functions that are fused with the layer before them.

/// An activation function that clamps its argument.
///
/// It costs nothing within the pass of a convolution, batch norm or residual add, and its gradient can be told from
/// its value, so that its argument need not be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clamp {
    /// The identity.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

impl Clamp {
    /// Lower and upper bound of the result.
    pub(crate) fn bounds(self) -> Bounds {
        match self {
            Self::Identity => Bounds { low: f32::NEG_INFINITY, high: f32::INFINITY },
            Self::Relu => Bounds { low: 0.0, high: f32::INFINITY },
            Self::Relu6 => Bounds { low: 0.0, high: 6.0 },
        }
    }
}

/// The interval of a [`Clamp`]: one formula without branches for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl Bounds {
    /// The activation's value; NaN stays NaN.
    #[inline(always)]
    pub(crate) fn clamp(self, x: f32) -> f32 {
        let raised = if x < self.low { self.low } else { x };
        if raised > self.high { self.high } else { raised }
    }

    /// The gradient that passes where the activation's *value* is `y`: all of it strictly between the bounds, nothing
    /// on them, as PyTorch has it; a NaN passes it on.
    #[inline(always)]
    pub(crate) fn gradient(self, y: f32, gradient: f32) -> f32 {
        if y <= self.low || y >= self.high { 0.0 } else { gradient }
    }
}
