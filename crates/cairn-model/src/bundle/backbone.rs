//! How a model's backbone was trained.

use serde::{Deserialize, Serialize};

/// How a model's backbone (all layers but the last one) was trained. Calibration weighs learned classes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backbone {
    /// It was trained on other photos and stayed as it was: a linear probe.
    Frozen,
    /// It is a blend of such weights and of weights that were trained on the classes, and stayed as it was.
    Blended,
    /// It was trained on the classes, some layers at least.
    FineTuned,
}

impl Backbone {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Frozen, Self::Blended, Self::FineTuned];

    /// The name that bundles use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Blended => "blended",
            Self::FineTuned => "fine-tuned",
        }
    }
}
