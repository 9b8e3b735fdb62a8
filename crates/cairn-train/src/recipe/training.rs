//! The section `[training]`: how long, with which batches.

use cairn_dataset::Sampling;
use cairn_nets::Precision;
use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// How long, and with which batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Photos in a batch.
    pub batch: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Minutes at most, validation included. A run under a time budget is not repeatable to the bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Label smoothing: share of each label spread evenly over all classes, in `[0, 1)` (Szegedy et al. 2015,
    /// <https://arxiv.org/abs/1512.00567>).
    #[serde(default)]
    pub label_smoothing: f64,
    /// Which photos an epoch shows: `"each-once"`, or `"class-balanced"` for as many of every class.
    #[serde(default)]
    pub sampling: Sampling,
    /// Class weights of the training loss.
    #[serde(default)]
    pub class_weights: ClassWeights,
    /// Classes that a step learns, where there are too many for all: those of its photos, and others by chance. With margins that
    /// is Partial FC (An et al. 2021, <https://arxiv.org/abs/2010.05222>), without them a sampled softmax with log-Q correction.
    /// Gradients are of the sampled classes alone; the accuracy of training is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled_classes: Option<usize>,
    /// Batches per optimizer step (gradient accumulation), for batches that do not fit into memory. Batch norm still sees
    /// one batch at a time.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// Largest norm of all gradients together; larger ones are scaled down to it (PyTorch's `clip_grad_norm_`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Decay of an exponential moving average (EMA) of the weights, in `(0, 1)`, such as 0.999. The average is validated and
    /// saved in place of the weights (timm's `ModelEmaV3` with its warm-up of the decay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Patience: stop after this many epochs without a lower validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<usize>,
    /// Number type of activations [default: the machine's fastest].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Decides first weights, the order of photos, augmentation and dropout.
    #[serde(default)]
    pub seed: u64,
}

/// Class weights of the training loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Every photo counts the same.
    #[default]
    Equal,
    /// In inverse proportion to the class's share of the training photos, so that every class counts the same
    /// (scikit-learn's `class_weight="balanced"`).
    Balanced,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

impl TrainingRecipe {
    /// Checks the range of every figure.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let Self { batch, epochs, minutes, label_smoothing, early_stopping, precision, seed, .. } = *self;
        let Self { accumulate, clip_norm, ema, sampled_classes, .. } = *self;
        RecipeError::check([
            (
                sampled_classes.is_none_or(|count| count > 1),
                format!("training.sampled_classes is {}; it must be at least 2", sampled_classes.unwrap_or_default()),
            ),
            (
                sampled_classes.is_none() || accumulate == 1,
                "training.accumulate: each batch samples classes of its own; leave out training.sampled_classes".to_owned(),
            ),
            (batch > 0, "training.batch is 0; a batch needs at least one photo".to_owned()),
            (epochs > 0, "training.epochs is 0; train for at least one".to_owned()),
            (
                minutes.is_none_or(|m| m > 0.0 && m.is_finite()),
                format!("training.minutes is {}; it must be above 0", minutes.unwrap_or_default()),
            ),
            (
                (0.0..1.0).contains(&label_smoothing),
                format!("training.label_smoothing is {label_smoothing}; it must be at least 0 and below 1"),
            ),
            (accumulate > 0, "training.accumulate is 0; a step needs at least one batch".to_owned()),
            (
                clip_norm.is_none_or(|norm| norm > 0.0),
                format!("training.clip_norm is {}; it must be above 0", clip_norm.unwrap_or_default()),
            ),
            (
                ema.is_none_or(|decay| decay > 0.0 && decay < 1.0),
                format!("training.ema is {}; it must be between 0 and 1", ema.unwrap_or_default()),
            ),
            (
                early_stopping != Some(0),
                "training.early_stopping is 0; it must be at least 1 epoch".to_owned(),
            ),
            (
                precision.is_none_or(Precision::is_offered),
                "training.precision is bf16, in which this machine does not compute; use f32".to_owned(),
            ),
            (i64::try_from(seed).is_ok(), format!("training.seed is {seed}; it must be below 2^63")),
        ])
    }
}
