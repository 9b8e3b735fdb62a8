//! The optimisers that a recipe may name.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

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
    },
    /// Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>; weight decay is kept apart from the gradient.
    AdamW {
        /// Step size before the schedule.
        learning_rate: f64,
        /// Share of every weight taken off in a step, times the learning rate.
        #[serde(default = "hundredth")]
        weight_decay: f64,
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
        /// Nesterov's form of momentum.
        #[serde(default)]
        nesterov: bool,
    },
}

fn hundredth() -> f64 {
    0.01
}

fn nine_tenths() -> f64 {
    0.9
}

/// PyTorch's; Burn's own default is 1e-5.
const EPSILON: f32 = 1e-8;

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

    pub(crate) fn build(&self) -> ModuleOptimizer {
        let penalty = |decay: f64| (decay > 0.0).then(|| WeightDecayConfig::new(decay as f32));
        match *self {
            Self::Adam { weight_decay, .. } => {
                AdamConfig::new().with_epsilon(EPSILON).with_weight_decay(penalty(weight_decay)).init()
            }
            Self::AdamW { weight_decay, .. } => {
                AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(weight_decay as f32).init()
            }
            Self::Sgd { momentum, weight_decay, nesterov, .. } => {
                let momentum =
                    MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(nesterov);
                SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(penalty(weight_decay)).init()
            }
        }
    }

    /// What is wrong with the figures, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let rate = self.learning_rate();
        if !(rate > 0.0 && rate.is_finite()) {
            return Some(format!("optimiser.learning_rate is {rate}; it must be above 0"));
        }
        let decay = self.weight_decay();
        if !(decay >= 0.0 && decay.is_finite()) {
            return Some(format!("optimiser.weight_decay is {decay}; it must be 0 or more"));
        }
        match *self {
            Self::Sgd { momentum, .. } if !(0.0..1.0).contains(&momentum) => Some(format!(
                "optimiser.momentum is {momentum}; it must lie from 0 up to but not including 1"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::nn::LinearConfig;
    use burn::optim::GradientsParams;
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn three_steps_of_every_optimiser_end_where_pytorchs_do() {
        // torch 2.11: three steps from w = (1, -2, 3) on the loss sum((c w)^2), c = (1, 0.5, 2), at a learning rate and
        // a weight decay of 0.1 and, for SGD, a momentum of 0.9.
        let (learning_rate, weight_decay, momentum) = (0.1, 0.1, 0.9);
        let sgd = |nesterov| OptimiserRecipe::Sgd { learning_rate, momentum, weight_decay, nesterov };
        for (recipe, expected) in [
            (OptimiserRecipe::Adam { learning_rate, weight_decay }, [0.701586, -1.700623, 2.700382]),
            (OptimiserRecipe::AdamW { learning_rate, weight_decay }, [0.675101, -1.644369, 2.614406]),
            (sgd(false), [0.024319, -1.360928, -2.778783]),
            (sgd(true), [-0.140468, -1.131294, -0.119415]),
        ] {
            let found = after_three_steps(recipe);
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{recipe:?}: {found:?}, expected {expected:?}");
        }
    }

    fn after_three_steps(recipe: OptimiserRecipe) -> Vec<f32> {
        let device = Device::flex().autodiff();
        let mut layer = LinearConfig::new(3, 1).with_bias(false).init(&device);
        layer.weight = Param::from_tensor(Tensor::from_floats([[1.0], [-2.0], [3.0]], &device));
        let scale = Tensor::<2>::from_floats([[1.0], [0.5], [2.0]], &device);
        let mut optimiser = recipe.build();
        for _ in 0..3 {
            let loss = (layer.weight.val() * scale.clone()).square().sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &layer);
            layer = optimiser.step(recipe.learning_rate(), layer, gradients);
        }
        layer.weight.val().into_data().iter::<f32>().collect()
    }
}
