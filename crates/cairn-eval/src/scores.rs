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

    /// Adds one photo: the class it shows, and the network's output for it before softmax, one logit for each class.
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

/// The class of the greatest logit, or `None` when the logits have no softmax. Of equal logits the first in class
/// order wins, as with NumPy's `argmax`.
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

/// How many classes stand before `class` when the likeliest is put first and equal logits stand in class order, so
/// that rank 0 is always the class that [`likeliest`] names.
fn rank(logits: &[f32], class: ClassId) -> usize {
    let own = logits[class.index()];
    let before = |(other, &logit): (usize, &f32)| logit > own || (logit == own && other < class.index());
    logits.iter().enumerate().filter(|&entry| before(entry)).count()
}

/// log of the sum of exponentials: minus it, a logit is a log-probability. The greatest logit is taken out first,
/// so that no exponential overflows.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let greatest = f64::from(greatest);
    greatest + logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum::<f64>().ln()
}
