//! What a model says of one photo whose class is known.

use crate::calibration::Confidence;
use cairn_dataset::{ClassId, Softmax};

/// The model's answer for one photo, and how good it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// What the photo shows.
    pub truth: ClassId,
    /// The likeliest class. Of equally likely ones the first in class order, as with NumPy's `argmax`.
    pub class: ClassId,
    /// Its probability, 0 to 1.
    pub probability: f64,
    /// Cross-entropy between truth and probabilities, in nats: minus the logarithm of the true class's probability.
    pub loss: f64,
}

impl Prediction {
    /// The answer of these `logits`, divided by `temperature` before the softmax; `None` if they have no softmax.
    pub(crate) fn of(truth: ClassId, logits: &[f32], temperature: f64) -> Option<Self> {
        let class = ClassId::of_greatest(logits)?;
        let scaled = |class: ClassId| f64::from(logits[class.index()]) / temperature;
        let softmax = Softmax::of(logits.iter().map(|&logit| f64::from(logit) / temperature));
        let loss = softmax.log_sum() - scaled(truth);
        Some(Self { truth, class, probability: softmax.greatest_probability(), loss })
    }

    /// Whether the answer is right.
    pub fn is_right(&self) -> bool {
        self.class == self.truth
    }

    pub(crate) fn confidence(&self) -> Confidence {
        Confidence { probability: self.probability, correct: self.is_right() }
    }
}

/// The number of classes before `class`, the likeliest first and equal logits in class
/// order, so that rank 0 is always the class that [`ClassId::of_greatest`] names.
pub(crate) fn rank(logits: &[f32], class: ClassId) -> usize {
    let own = logits[class.index()];
    let before = |(other, &logit): (usize, &f32)| logit > own || (logit == own && other < class.index());
    logits.iter().enumerate().filter(|&entry| before(entry)).count()
}
