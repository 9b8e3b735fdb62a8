//! From which score on a photo is taken for a landmark.

use cairn_model::Threshold;
use clap::Args;

/// `--sure` or `--threshold`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ThresholdOptions {
    /// Name a landmark only if the model is sure that the photo shows one: fewer false landmarks, more missed ones
    #[arg(long, conflicts_with = "threshold")]
    sure: bool,
    /// Take a photo for a landmark from this score on, instead of the model's default threshold
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
}

impl ThresholdOptions {
    /// The threshold that was asked for; `None` leaves it to the model.
    pub(crate) fn chosen(self) -> Option<Threshold> {
        Threshold::chosen(self.sure, self.threshold)
    }
}
