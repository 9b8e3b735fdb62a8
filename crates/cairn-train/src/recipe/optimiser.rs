//! The optimisers that a recipe may name.

use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// An optimiser with its figures. Defaults are PyTorch's, but for SGD's momentum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimiserRecipe {
    /// Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>; weight decay is added to the gradient.
    Adam {
        /// Step size before the schedule.
        learning_rate: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
        /// Whether biases and batch norms' weights decay too, as PyTorch's optimisers have it; `false` leaves every
        /// parameter of one axis out (timm's rule; He et al. 2018, <https://arxiv.org/abs/1812.01187>, section 3.1).
        #[serde(default = "yes")]
        decay_biases_and_norms: bool,
    },
    /// Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>; weight decay is kept apart from the gradient.
    AdamW {
        /// Step size before the schedule.
        learning_rate: f64,
        /// Share of every weight taken off in a step, times the learning rate.
        #[serde(default = "hundredth")]
        weight_decay: f64,
        /// Whether biases and batch norms' weights decay too, as PyTorch's optimisers have it; `false` leaves every
        /// parameter of one axis out (timm's rule; He et al. 2018, <https://arxiv.org/abs/1812.01187>, section 3.1).
        #[serde(default = "yes")]
        decay_biases_and_norms: bool,
    },
    /// Stochastic gradient descent with momentum (dampening 0).
    Sgd {
        /// Step size before the schedule.
        learning_rate: f64,
        /// Share of the last step kept in the next, in `[0, 1)`.
        #[serde(default = "nine_tenths")]
        momentum: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
        /// Whether biases and batch norms' weights decay too, as PyTorch's optimisers have it; `false` leaves every
        /// parameter of one axis out (timm's rule; He et al. 2018, <https://arxiv.org/abs/1812.01187>, section 3.1).
        #[serde(default = "yes")]
        decay_biases_and_norms: bool,
        /// Nesterov's form of momentum.
        #[serde(default)]
        nesterov: bool,
    },
}

fn hundredth() -> f64 {
    0.01
}

fn yes() -> bool {
    true
}

fn nine_tenths() -> f64 {
    0.9
}

impl OptimiserRecipe {
    /// Step size before the schedule.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::Sgd { learning_rate, .. } => learning_rate,
        }
    }

    fn weight_decay(&self) -> f64 {
        match *self {
            Self::Adam { weight_decay, .. }
            | Self::AdamW { weight_decay, .. }
            | Self::Sgd { weight_decay, .. } => weight_decay,
        }
    }

    /// Whether parameters of one axis decay too.
    pub(crate) fn decays_biases_and_norms(&self) -> bool {
        match *self {
            Self::Adam { decay_biases_and_norms, .. }
            | Self::AdamW { decay_biases_and_norms, .. }
            | Self::Sgd { decay_biases_and_norms, .. } => decay_biases_and_norms,
        }
    }

    /// Checks the range of every figure.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let (rate, decay) = (self.learning_rate(), self.weight_decay());
        let momentum = match *self {
            Self::Sgd { momentum, .. } => momentum,
            Self::Adam { .. } | Self::AdamW { .. } => 0.0,
        };
        RecipeError::check([
            (
                rate > 0.0 && rate.is_finite(),
                format!("optimiser.learning_rate is {rate}; it must be above 0"),
            ),
            (
                decay >= 0.0 && decay.is_finite(),
                format!("optimiser.weight_decay is {decay}; it must be 0 or more"),
            ),
            (
                (0.0..1.0).contains(&momentum),
                format!("optimiser.momentum is {momentum}; it must be at least 0 and below 1"),
            ),
        ])
    }
}
