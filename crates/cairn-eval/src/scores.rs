//! The network's output for every photo of a test set, kept until all of it is there.

use crate::calibration::Reliability;
use crate::classification::{class_reports, macro_f1};
use crate::confusion::ConfusionMatrix;
use crate::evaluation::Evaluation;
use crate::prediction::{Prediction, rank};
use crate::row_summary::RowSummary;
use crate::temperature::{fit_temperature, temperature_of_slope};
use cairn_dataset::{ClassId, ClassList};

/// From more classes on, a photo's logits are summed up.
const WHOLE_ROWS: usize = 4096;

/// The true class and the logits of every photo tested so far: what all metrics are computed from.
///
/// A photo whose logits hold a NaN or plus infinity, or are all minus infinity, has no probabilities. It is
/// *unscored*: no class is named for it, it counts as wrong, and it makes the loss not a number.
///
/// Of more than 4,096 classes, half a kilobyte is kept of each photo. Everything is exact then at temperature 1; at others losses
/// and probabilities are within a thousandth.
#[derive(Debug, Clone)]
pub struct Scores {
    classes: usize,
    photos: Photos,
}

/// What is kept of photos.
#[derive(Debug, Clone)]
enum Photos {
    Whole {
        truths: Vec<ClassId>,
        /// One row of `classes` logits for each photo.
        logits: Vec<f32>,
    },
    Summed(Vec<RowSummary>),
}

impl Scores {
    /// No photos yet, of a network with `classes` outputs.
    ///
    /// # Panics
    /// When `classes` is 0: such a network says nothing that could be scored.
    pub fn new(classes: usize) -> Self {
        assert!(classes > 0, "a classifier has at least one class");
        let photos = match classes <= WHOLE_ROWS {
            true => Photos::Whole { truths: Vec::new(), logits: Vec::new() },
            false => Photos::Summed(Vec::new()),
        };
        Self { classes, photos }
    }

    /// Adds one photo: the class it shows, and the network's output for it before softmax, one logit for each
    /// class.
    ///
    /// # Panics
    /// When the number of logits is not the number of classes, or `truth` is not one of the classes.
    pub fn push(&mut self, truth: ClassId, logits: &[f32]) {
        assert_eq!(logits.len(), self.classes, "one logit for each class");
        assert!(truth.index() < self.classes, "class {truth} is not among the {} classes", self.classes);
        match &mut self.photos {
            Photos::Whole { truths, logits: all } => {
                truths.push(truth);
                all.extend_from_slice(logits);
            }
            Photos::Summed(rows) => rows.push(RowSummary::of(truth, logits)),
        }
    }

    /// Number of photos.
    pub fn len(&self) -> usize {
        match &self.photos {
            Photos::Whole { truths, .. } => truths.len(),
            Photos::Summed(rows) => rows.len(),
        }
    }

    /// Whether there is no photo yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The temperature that calibrates the network on these photos, which should be ones that it did not learn from:
    /// see [`Evaluation::temperature`].
    ///
    /// Temperature scaling of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017): the value from 1/4 to
    /// 16 that gives the true classes the highest likelihood; 1 when there is no scored photo.
    pub fn fit_temperature(&self) -> f64 {
        match &self.photos {
            Photos::Whole { truths, logits } => fit_temperature(rows(truths, logits, self.classes)),
            Photos::Summed(rows) => {
                let usable: Vec<&RowSummary> = rows.iter().filter(|row| row.is_usable()).collect();
                if usable.is_empty() {
                    return 1.0;
                }
                temperature_of_slope(|sharpness| usable.iter().map(|row| row.slope(sharpness)).sum())
            }
        }
    }

    /// What the model says of each photo, in the order in which they were added, dividing logits by `temperature`
    /// before the softmax; `None` for an unscored one.
    pub fn predictions(&self, temperature: f64) -> Vec<Option<Prediction>> {
        match &self.photos {
            Photos::Whole { truths, logits } => rows(truths, logits, self.classes)
                .map(|(truth, logits)| Prediction::of(truth, logits, temperature))
                .collect(),
            Photos::Summed(rows) => rows.iter().map(|row| row.prediction(temperature)).collect(),
        }
    }

    /// Of each photo the class that it shows, and how many are likelier.
    fn ranks(&self) -> Vec<(ClassId, usize)> {
        match &self.photos {
            Photos::Whole { truths, logits } => rows(truths, logits, self.classes)
                .map(|(truth, logits)| (truth, rank(logits, truth)))
                .collect(),
            Photos::Summed(rows) => rows.iter().map(|row| (row.truth(), row.rank)).collect(),
        }
    }

    /// Computes every metric, in f64, for a model that divides logits by `temperature`. On an empty list, all but the
    /// counts are not numbers.
    ///
    /// # Panics
    /// When `classes` is not the list of the network's classes, told by its length.
    pub fn evaluate(&self, classes: &ClassList, temperature: f64) -> Evaluation {
        let calibrated = self.predictions(temperature);
        let uncalibrated = self.predictions(1.0);
        let mut confusion = ConfusionMatrix::new(self.classes);
        let mut in_top3 = 0;
        for ((truth, rank), prediction) in self.ranks().into_iter().zip(&calibrated) {
            confusion.add(truth, prediction.map(|prediction| prediction.class));
            in_top3 += usize::from(prediction.is_some() && rank < 3);
        }
        let total = self.len();
        let reliability_uncalibrated = reliability(&uncalibrated);
        let reliability = reliability(&calibrated);
        Evaluation {
            loss: mean_loss(&calibrated),
            loss_uncalibrated: mean_loss(&uncalibrated),
            accuracy: confusion.correct() as f64 / total as f64,
            top3: in_top3 as f64 / total as f64,
            macro_f1: macro_f1(&confusion),
            ece: reliability.expected_calibration_error(),
            ece_uncalibrated: reliability_uncalibrated.expected_calibration_error(),
            temperature,
            correct: confusion.correct(),
            total,
            per_class: class_reports(&confusion, classes),
            confusion,
            reliability,
            reliability_uncalibrated,
        }
    }
}

/// The class and the logits of each photo.
fn rows<'a>(
    truths: &'a [ClassId],
    logits: &'a [f32],
    classes: usize,
) -> impl Iterator<Item = (ClassId, &'a [f32])> + Clone {
    truths.iter().copied().zip(logits.chunks_exact(classes))
}

/// Mean cross-entropy: not a number when a photo is unscored, or there is none.
fn mean_loss(predictions: &[Option<Prediction>]) -> f64 {
    let loss = |prediction: &Option<Prediction>| prediction.map_or(f64::NAN, |prediction| prediction.loss);
    predictions.iter().map(loss).sum::<f64>() / predictions.len() as f64
}

fn reliability(predictions: &[Option<Prediction>]) -> Reliability {
    Reliability::of(predictions.iter().flatten().map(Prediction::confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(photos: &[(usize, [f32; 4])]) -> Evaluation {
        let mut scores = Scores::new(4);
        for (truth, logits) in photos {
            scores.push(ClassId::new(*truth), logits);
        }
        scores.evaluate(&ClassList::from_folders(["0.A", "1.B", "2.C", "3.D"]), 1.0)
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
    fn very_many_classes_give_the_figures_of_few_without_a_number_for_every_class() {
        // The same photos in a network of 3 classes, and in one of 100,000, of which all others are ruled out.
        const CLASSES: usize = 100_000;
        let (mut few, mut many) = (Scores::new(3), Scores::new(CLASSES));
        for photo in 0..60 {
            let logits = [0, 1, 2].map(|class| ((photo * 7 + class * 5) as f32 * 0.37).sin() * 2.0);
            let mut all = vec![f32::NEG_INFINITY; CLASSES];
            all[..3].copy_from_slice(&logits);
            let truth = ClassId::new(photo % 3);
            few.push(truth, &logits);
            many.push(truth, &all);
        }
        let names = |classes: usize| ClassList::from_folders((0..classes).map(|class| format!("{class:06}")));
        let temperature = few.fit_temperature();
        assert!((many.fit_temperature() - temperature).abs() < 1e-9);
        let (few, many) = (few.evaluate(&names(3), temperature), many.evaluate(&names(CLASSES), temperature));
        for (few, many) in [
            (few.loss, many.loss),
            (few.loss_uncalibrated, many.loss_uncalibrated),
            (few.accuracy, many.accuracy),
            (few.top3, many.top3),
            (few.macro_f1, many.macro_f1),
            (few.ece, many.ece),
        ] {
            assert!((few - many).abs() < 1e-9, "{few} {many}");
        }
        assert_eq!(few.confusion.most_confused(), many.confusion.most_confused());
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
