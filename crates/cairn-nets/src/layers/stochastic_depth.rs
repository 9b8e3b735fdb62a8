//! Stochastic depth (Huang et al. 2016, <https://arxiv.org/abs/1603.09382>).

use burn::tensor::{Distribution, Tensor};

use crate::traceable::{FeatureMap, Traceable};

/// In training, leaves out what a block adds to its input, for each photo by itself, and makes up for it where it does
/// not: torchvision's `StochasticDepth` by rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StochasticDepth {
    /// How often it is left out, in `[0, 1)`.
    pub(crate) rate: f64,
}

impl StochasticDepth {
    /// What a block adds to its input.
    pub(crate) fn forward(self, branch: FeatureMap) -> FeatureMap {
        let Traceable::Eager(x) = &branch else { return branch };
        if self.rate == 0.0 || !x.device().is_autodiff() {
            return branch;
        }
        let [batch, _, _, channels] = x.dims();
        let kept = 1.0 - self.rate;
        let factors =
            Tensor::<4>::random([batch, 1, 1, 1], Distribution::Bernoulli(kept), &x.device()) / kept;
        branch.scale(Traceable::Eager(factors.expand([batch, 1, 1, channels])))
    }
}
