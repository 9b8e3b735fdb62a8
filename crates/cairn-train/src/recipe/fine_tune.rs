//! The section `[fine_tune]`: which layers learn, and how fast.

use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// Which layers learn, and how fast; by default all equally.
///
/// Layers are counted in stages, from the network's head back: ResNet-18's are `fc`, `layer4` to `layer1`, and `conv1` with
/// `bn1`. See [`Learning`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FineTuneRecipe {
    /// The layers that learn from the first epoch on. The others are frozen: no gradients, no weight decay, and batch norms
    /// use and keep their running statistics.
    pub train: Learning,
    /// With `train = "head"`, a linear probe: this many views of each photo pass through the frozen layers once, and the head
    /// learns from the cached features. The first view is the one of validation, the others are augmented. Without it,
    /// photos pass through all layers in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_views: Option<usize>,
    /// Epochs after which one more stage is unfrozen, from the head back (gradual unfreezing: Howard and Ruder 2018,
    /// <https://arxiv.org/abs/1801.06146>).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfreeze_every: Option<usize>,
    /// Factor on the learning rate from each stage to the one before it, in `(0, 1]`; the head learns at the full rate
    /// (Howard and Ruder 2018; as BEiT's and timm's `layer_decay`).
    pub layer_decay: f64,
    /// Whether batch norms keep running statistics, weights and biases as they began, in all layers (torchvision's
    /// `FrozenBatchNorm2d`): for batches too small to estimate statistics from.
    pub frozen_batch_norm: bool,
}

/// What learns: `"all"`, `"head"` or `{ last = N }` in TOML.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learning {
    /// Every layer.
    #[default]
    All,
    /// The last stage alone: the linear layer that gives the logits.
    Head,
    /// This many last stages, including the head.
    Last(usize),
}

impl Default for FineTuneRecipe {
    fn default() -> Self {
        Self {
            train: Learning::All,
            cached_views: None,
            unfreeze_every: None,
            layer_decay: 1.0,
            frozen_batch_norm: false,
        }
    }
}

impl FineTuneRecipe {
    /// The number of stages that learn in this epoch, counted from 0, of a network with `stages` stages.
    pub(crate) fn learning_stages(&self, epoch: usize, stages: usize) -> usize {
        let first = match self.train {
            Learning::All => stages,
            Learning::Head => 1,
            Learning::Last(count) => count,
        };
        let unfrozen = self.unfreeze_every.map_or(0, |every| epoch / every);
        first.saturating_add(unfrozen).min(stages)
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the range of every figure.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let Self { train, cached_views, unfreeze_every, layer_decay, .. } = *self;
        RecipeError::check([
            (
                train != Learning::Last(0),
                "fine_tune.train is { last = 0 }, which leaves nothing to learn; use at least 1".to_owned(),
            ),
            (cached_views != Some(0), "fine_tune.cached_views is 0; it must be at least 1".to_owned()),
            (
                cached_views.is_none() || (train == Learning::Head && unfreeze_every.is_none()),
                "fine_tune.cached_views is for a head that learns alone: set fine_tune.train = \"head\" and leave \
                 unfreeze_every out"
                    .to_owned(),
            ),
            (unfreeze_every != Some(0), "fine_tune.unfreeze_every is 0; it must be at least 1".to_owned()),
            (
                unfreeze_every.is_none() || train != Learning::All,
                "fine_tune.unfreeze_every has nothing to unfreeze where fine_tune.train is \"all\"; use \"head\""
                    .to_owned(),
            ),
            (
                layer_decay > 0.0 && layer_decay <= 1.0,
                format!("fine_tune.layer_decay is {layer_decay}; it must be above 0 and at most 1"),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_unfrozen_one_by_one_until_all_learn() {
        let recipe =
            FineTuneRecipe { train: Learning::Head, unfreeze_every: Some(2), ..FineTuneRecipe::default() };
        let learning: Vec<usize> = (0..8).map(|epoch| recipe.learning_stages(epoch, 3)).collect();
        assert_eq!(learning, [1, 1, 2, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn toml_says_what_learns() {
        for (toml, train) in [
            ("train = \"all\"", Learning::All),
            ("train = \"head\"", Learning::Head),
            ("train = { last = 2 }", Learning::Last(2)),
        ] {
            assert_eq!(toml::from_str::<FineTuneRecipe>(toml).unwrap().train, train);
        }
    }
}
