//! By what a model tells photos of its landmarks from photos of anything else.

use serde::{Deserialize, Serialize};

/// How a model decides whether a photo shows a landmark that it knows: by a score that must reach a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// What is computed.
    pub score: OodScore,
    /// The lowest score of a photo that is taken to show a known landmark.
    pub threshold: f64,
    /// The lowest score of a photo that surely shows one: of photos that show none, 2 % at most should reach it. `None`
    /// where the model was not calibrated with enough of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sure: Option<f64>,
}

impl Rejection {
    /// A threshold alone, without a sure one.
    pub fn new(score: OodScore, threshold: f64) -> Self {
        Self { score, threshold, sure: None }
    }
}

/// The model has no threshold for sure answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this model has no threshold for sure answers; `cairn calibrate MODEL --distractors DIR --out FILE` finds one \
     from some sixty photos that show none of its landmarks"
)]
pub struct NotSure;

/// A number that is high for photos of known landmarks and low for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OodScore {
    /// The probability of the likeliest landmark: Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and
    /// Out-of-Distribution Examples in Neural Networks", ICLR 2017.
    Confidence,
    /// The logarithm of the summed exponentials of the calibrated logits, which is the negative of the free energy: Liu
    /// et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020.
    Energy,
    /// How far all classes' probabilities are from being alike, from 0 (all are) to 1 (one class is certain):
    /// generalised entropy with a power of 0.1, by which small probabilities count nearly as much as large ones; Liu et
    /// al., "GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection", CVPR 2023.
    Entropy,
    /// Likeness to the nearest landmark's prototype, less the mean likeness to the nearest photos of a bank of
    /// non-landmarks: the rule of Henkel and Singer, who won Google Landmark Recognition 2020 ("Supporting large-scale
    /// image recognition with out-of-domain samples", arXiv 2010.01650), with prototypes in the place of single photos.
    Similarity,
}

impl OodScore {
    /// Every score, the simplest first.
    pub const ALL: [Self; 4] = [Self::Confidence, Self::Energy, Self::Entropy, Self::Similarity];

    /// The name that bundles and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confidence => "confidence",
            Self::Energy => "energy",
            Self::Entropy => "entropy",
            Self::Similarity => "similarity",
        }
    }
}
