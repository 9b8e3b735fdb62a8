//! The section `[distil]`: knowledge distillation from other models.

use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// Knowledge distillation (Hinton et al. 2015, <https://arxiv.org/abs/1503.02531>): the loss is `(1 - weight)` times the
/// cross-entropy with the labels and `weight * temperature^2` times the divergence from the teachers' answers, which are
/// their probabilities at this temperature, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistilRecipe {
    /// Model files or run folders, relative to the working directory. They must tell the same classes apart.
    pub teachers: Vec<String>,
    /// Share of the teachers in the loss, above 0 and at most 1; at 1 the labels are ignored.
    #[serde(default = "half")]
    pub weight: f64,
    /// Divisor of the logits, above 0: the higher, the more weight less likely classes have in an answer.
    #[serde(default = "two")]
    pub temperature: f64,
}

fn half() -> f64 {
    0.5
}

fn two() -> f64 {
    2.0
}

impl DistilRecipe {
    /// Checks the range of every figure.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let Self { ref teachers, weight, temperature } = *self;
        RecipeError::check([
            (!teachers.is_empty(), "distil.teachers is empty; name at least one model".to_owned()),
            (
                weight > 0.0 && weight <= 1.0,
                format!("distil.weight is {weight}; it must be above 0 and at most 1"),
            ),
            (
                temperature > 0.0 && temperature.is_finite(),
                format!("distil.temperature is {temperature}; it must be above 0"),
            ),
        ])
    }
}
