//! The network's output for every photo of a test set, kept until all of it is there.

use crate::calibration::{Confidence, expected_calibration_error};
use crate::classification::{class_reports, macro_f1};
use crate::confusion::ConfusionMatrix;
use crate::evaluation::Evaluation;
use cairn_dataset::{ClassId, ClassList};

/// The true class and the logits of every photo tested so far: what all metrics are computed from.
///
/// A photo whose logits hold a NaN or plus infinity, or are all minus infinity, has no probabilities. It is
/// *unscored*: no class is named for it, it counts as wrong, and it makes the loss not a number.
#[derive(Debug, Clone)]
pub struct Scores {
    classes: usize,
    truths: Vec<ClassId>,
    /// One row of `classes` logits for each photo.
    logits: Vec<f32>,
}

impl Scores {
    /// No photos yet, of a network with `classes` outputs.
    ///
    /// # Panics
    /// When `classes` is 0: such a network says nothing that could be scored.
    pub fn new(classes: usize) -> Self {
        assert!(classes > 0, "a classifier has at least one class");
        Self { classes, truths: Vec::new(), logits: Vec::new() }
    }

    /// Adds one photo: the class it shows, and the network's output for it before softmax, one logit for each
    /// class.
    ///
    /// # Panics
    /// When the number of logits is not the number of classes, or `truth` is not one of the classes.
    pub fn push(&mut self, truth: ClassId, logits: &[f32]) {
        assert_eq!(logits.len(), self.classes, "one logit for each class");
        assert!(truth.index() < self.classes, "class {truth} is not among the {} classes", self.classes);
        self.truths.push(truth);
        self.logits.extend_from_slice(logits);
    }

    /// Number of photos.
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there is no photo yet.
    pub fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// Computes every metric, in f64. On an empty list, all but the counts are not numbers.
    ///
    /// # Panics
    /// When `classes` is not the list of the network's classes, told by its length.
    pub fn evaluate(&self, classes: &ClassList) -> Evaluation {
        let mut confusion = ConfusionMatrix::new(self.classes);
        let mut confidences = Vec::with_capacity(self.len());
        let mut loss = 0.0;
        let mut in_top3 = 0;
        for (&truth, logits) in self.truths.iter().zip(self.logits.chunks_exact(self.classes)) {
            let Some(likeliest) = likeliest(logits) else {
                confusion.add(truth, None);
                loss = f64::NAN;
                continue;
            };
            let log_sum_exp = log_sum_exp(logits);
            let probability = (f64::from(logits[likeliest.index()]) - log_sum_exp).exp();
            confusion.add(truth, Some(likeliest));
            confidences.push(Confidence { probability, correct: likeliest == truth });
            loss += log_sum_exp - f64::from(logits[truth.index()]);
            in_top3 += usize::from(rank(logits, truth) < 3);
        }
        let total = self.len();
        Evaluation {
            loss: loss / total as f64,
            accuracy: confusion.correct() as f64 / total as f64,
            top3: in_top3 as f64 / total as f64,
            macro_f1: macro_f1(&confusion),
            ece: expected_calibration_error(&confidences),
            correct: confusion.correct(),
            total,
            per_class: class_reports(&confusion, classes),
            confusion,
        }
    }
}

/// The class of the greatest logit, or `None` when the logits have no softmax. Of equal logits the first in
/// class order wins, as with NumPy's `argmax`.
fn likeliest(logits: &[f32]) -> Option<ClassId> {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if logit.is_nan() {
            return None;
        }
        if *logit > logits[best] {
            best = class;
        }
    }
    logits[best].is_finite().then(|| ClassId::new(best))
}

/// How many classes stand before `class` when the likeliest is put first and equal logits stand in class
/// order, so that rank 0 is always the class that [`likeliest`] names.
fn rank(logits: &[f32], class: ClassId) -> usize {
    let own = logits[class.index()];
    let before = |(other, &logit): (usize, &f32)| logit > own || (logit == own && other < class.index());
    logits.iter().enumerate().filter(|&entry| before(entry)).count()
}

/// log of the sum of exponentials: minus it, a logit is a log-probability. The greatest logit is taken out
/// first, so that no exponential overflows.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let greatest = f64::from(greatest);
    greatest + logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(photos: &[(usize, [f32; 4])]) -> Evaluation {
        let mut scores = Scores::new(4);
        for (truth, logits) in photos {
            scores.push(ClassId::new(*truth), logits);
        }
        scores.evaluate(&ClassList::from_folders(["0.A", "1.B", "2.C", "3.D"]))
    }

    #[test]
    fn a_photo_whose_scores_are_not_numbers_is_wrong_and_makes_the_loss_not_a_number() {
        for broken in [f32::NAN, f32::INFINITY] {
            let evaluation = evaluate(&[(0, [broken, 0.0, 0.0, 0.0]), (1, [0.0, 5.0, 0.0, 0.0])]);
            assert_eq!((evaluation.correct, evaluation.total), (1, 2), "{broken}");
            assert_eq!(evaluation.top3, 0.5, "{broken}");
            assert!(evaluation.loss.is_nan(), "{broken}");
            assert_eq!(evaluation.confusion.unscored(), 1, "{broken}");
            assert_eq!(
                (evaluation.per_class[0].recall, evaluation.per_class[0].support),
                (0.0, 1),
                "{broken}"
            );
        }
    }

    #[test]
    fn a_class_ruled_out_entirely_is_no_reason_to_leave_a_photo_unscored() {
        let evaluation = evaluate(&[(1, [f32::NEG_INFINITY, 5.0, 0.0, 0.0])]);
        assert_eq!((evaluation.correct, evaluation.confusion.unscored()), (1, 0));
        assert!(evaluation.loss.is_finite());
        assert_eq!(evaluate(&[(1, [f32::NEG_INFINITY; 4])]).confusion.unscored(), 1);
    }

    #[test]
    fn of_equal_scores_the_first_class_wins_and_the_fourth_is_not_in_the_top_three() {
        let level = [1.0; 4];
        assert_eq!(evaluate(&[(0, level)]).accuracy, 1.0);
        assert_eq!(evaluate(&[(1, level)]).accuracy, 0.0);
        assert_eq!(evaluate(&[(2, level)]).top3, 1.0);
        assert_eq!(evaluate(&[(3, level)]).top3, 0.0);
    }

    #[test]
    fn logits_far_beyond_what_exponentials_can_hold_have_a_loss() {
        let evaluation = evaluate(&[(0, [-3e4, 3e4, 0.0, 0.0])]);
        assert_eq!(evaluation.loss, 6e4);
        assert_eq!(evaluation.ece, 1.0);
    }

    #[test]
    fn without_photos_counts_are_zero_and_the_rest_is_not_a_number() {
        let evaluation = evaluate(&[]);
        assert_eq!((evaluation.correct, evaluation.total), (0, 0));
        for figure in
            [evaluation.loss, evaluation.accuracy, evaluation.top3, evaluation.macro_f1, evaluation.ece]
        {
            assert!(figure.is_nan());
        }
    }

    #[test]
    #[should_panic(expected = "one logit for each class")]
    fn a_row_of_the_wrong_length_is_refused() {
        Scores::new(4).push(ClassId::new(0), &[0.0; 3]);
    }

    #[test]
    #[should_panic(expected = "class 4 is not among the 4 classes")]
    fn a_class_that_the_network_does_not_know_is_refused() {
        Scores::new(4).push(ClassId::new(4), &[0.0; 4]);
    }
}
