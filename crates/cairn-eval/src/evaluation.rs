//! What a test of a model says.

use crate::classification::ClassReport;
use crate::confusion::ConfusionMatrix;
use serde::Serialize;

/// The metrics of one model on one test set.
///
/// Serialises with the field names as keys, fractions as 0 to 1, without the confusion matrix. What is not a number
/// (the loss when a photo was [unscored](crate::Scores), anything but counts when there was no photo) becomes `null`
/// in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Mean cross-entropy between truth and softmax, in nats.
    pub loss: f64,
    /// Fraction of photos whose likeliest class is the true one.
    pub accuracy: f64,
    /// Fraction of photos whose true class is among the three likeliest; equal scores rank in class order.
    pub top3: f64,
    /// Mean F1 over the classes that occur: see [`macro_f1`](crate::macro_f1).
    pub macro_f1: f64,
    /// Expected calibration error in 15 bins, over the scored photos: see
    /// [`expected_calibration_error`](crate::expected_calibration_error).
    pub ece: f64,
    /// Number of photos whose likeliest class is the true one.
    pub correct: usize,
    /// Number of photos tested.
    pub total: usize,
    /// Each class, in class order.
    pub per_class: Vec<ClassReport>,
    /// Who was taken for whom.
    #[serde(skip)]
    pub confusion: ConfusionMatrix,
}

impl Evaluation {
    /// The accuracy as people read it: "64% (804/1250)".
    pub fn accuracy_headline(&self) -> String {
        accuracy_headline(self.correct, self.total)
    }
}

/// An accuracy as people read it, with the counts behind it: "64% (804/1250)".
///
/// The percentage is rounded down, as `%d` does in the notebooks whose figures stand beside ours: 399 of 1250, which
/// is 31.92 %, is "31% (399/1250)". Without a photo it is "no photos".
pub fn accuracy_headline(correct: usize, total: usize) -> String {
    match (100 * correct).checked_div(total) {
        Some(percent) => format!("{percent}% ({correct}/{total})"),
        None => "no photos".to_owned(),
    }
}
