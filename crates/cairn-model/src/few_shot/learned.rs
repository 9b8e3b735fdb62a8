//! The classes that were learned, as a bundle keeps them.

use cairn_dataset::ClassList;
use serde::{Deserialize, Serialize};

/// The classes that were added, and what makes a margin between prototypes a logit.
///
/// The margin of a learned class is likeness to its prototype less likeness to the nearest trained one, both after
/// [`Whitening`](crate::Whitening). Scaled, it is the logarithm of the odds that the photo shows the learned class rather
/// than the likeliest of the trained ones, among which their own softmax decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FewShot {
    /// Logarithm of the odds for a margin of 1, above those for a margin of 0.
    pub scale: f64,
    /// Logarithm of the odds for a margin of 0.
    pub offset: f64,
    /// The added classes, in the order in which they were learned.
    #[serde(default)]
    pub classes: ClassList,
}

impl FewShot {
    /// Logarithm of the odds that a photo of this margin shows the learned class, not a trained one.
    pub fn log_odds(&self, margin: f64) -> f64 {
        self.scale * margin + self.offset
    }
}
