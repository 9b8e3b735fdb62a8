//! What a test of a model says.

use crate::calibration::Reliability;
use crate::classification::ClassReport;
use crate::confusion::ConfusionMatrix;
use serde::Serialize;

/// The metrics of one model on one test set.
///
/// Serialises with the field names as keys, fractions as 0 to 1, without the confusion matrix and the reliability.
/// What is not a number (the loss when a photo was [unscored](crate::Scores), anything but counts when there was no
/// photo) becomes `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Mean cross-entropy between truth and the calibrated probabilities, in nats.
    pub loss: f64,
    /// The same with the probabilities of the softmax as the network was trained.
    pub loss_uncalibrated: f64,
    /// Fraction of photos whose likeliest class is the true one.
    pub accuracy: f64,
    /// Fraction of photos whose true class is among the three likeliest; equal scores rank in class order.
    pub top3: f64,
    /// Mean F1 over the classes that occur: see [`macro_f1`](crate::macro_f1).
    pub macro_f1: f64,
    /// Expected calibration error over the scored photos: see [`Reliability::expected_calibration_error`].
    pub ece: f64,
    /// The same of the softmax as the network was trained.
    pub ece_uncalibrated: f64,
    /// What the logits are divided by for the calibrated probabilities.
    pub temperature: f64,
    /// Number of photos whose likeliest class is the true one.
    pub correct: usize,
    /// Number of photos tested.
    pub total: usize,
    /// Each class, in class order.
    pub per_class: Vec<ClassReport>,
    /// Who was taken for whom.
    #[serde(skip)]
    pub confusion: ConfusionMatrix,
    /// How often calibrated answers of like confidence are right.
    #[serde(skip)]
    pub reliability: Reliability,
    /// The same of the softmax as the network was trained.
    #[serde(skip)]
    pub reliability_uncalibrated: Reliability,
}

impl Evaluation {
    /// The accuracy as people read it: "64% (804/1250)".
    pub fn accuracy_headline(&self) -> String {
        accuracy_headline(self.correct, self.total)
    }
}

/// An accuracy as people read it, with the counts behind it: "64% (804/1250)".
///
/// The percentage is rounded down, as `%d` does in the notebooks whose figures stand beside ours: 399 of
/// 1250, which is 31.92 %, is "31% (399/1250)". Without a photo it is "no photos".
pub fn accuracy_headline(correct: usize, total: usize) -> String {
    match (100 * correct).checked_div(total) {
        Some(percent) => format!("{percent}% ({correct}/{total})"),
        None => "no photos".to_owned(),
    }
}

/// A fraction in per cent with one decimal, or a dash for what is not a number.
pub(crate) fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:.1}%", 100.0 * fraction) } else { "–".to_owned() }
}

/// A loss with four decimals, or a dash for what is not a number.
pub(crate) fn nats(loss: f64) -> String {
    if loss.is_finite() { format!("{loss:.4}") } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scores;
    use cairn_dataset::{ClassId, ClassList};

    #[test]
    fn the_headline_reads_as_system_c_prints_it() {
        assert_eq!(accuracy_headline(804, 1250), "64% (804/1250)");
        assert_eq!(accuracy_headline(399, 1250), "31% (399/1250)");
        assert_eq!(accuracy_headline(0, 3), "0% (0/3)");
        assert_eq!(accuracy_headline(3, 3), "100% (3/3)");
        assert_eq!(accuracy_headline(0, 0), "no photos");
    }

    #[test]
    fn json_has_the_documented_keys_and_null_for_what_is_not_a_number() {
        let mut scores = Scores::new(2);
        scores.push(ClassId::new(1), &[0.0, 1.0]);
        scores.push(ClassId::new(1), &[0.0, f32::NAN]);
        let evaluation = scores.evaluate(&ClassList::from_folders(["00.Arc", "01.Old_Bridge"]), 2.0);
        let json = serde_json::to_value(&evaluation).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        let figures =
            ["accuracy", "correct", "ece", "ece_uncalibrated", "loss", "loss_uncalibrated", "macro_f1"];
        assert_eq!(keys, [&figures[..], &["per_class", "temperature", "top3", "total"]].concat());
        assert!(json["loss"].is_null());
        assert_eq!(json["accuracy"], 0.5);
        let class = serde_json::json!({
            "class": "01.Old_Bridge", "name": "Old Bridge",
            "precision": 1.0, "recall": 0.5, "f1": 2.0 / 3.0, "support": 2,
        });
        assert_eq!(json["per_class"][1], class);
    }
}
