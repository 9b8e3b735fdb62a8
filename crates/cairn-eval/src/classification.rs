//! Precision, recall and F1 of each class, read from the confusion matrix.

use crate::confusion::ConfusionMatrix;
use cairn_dataset::{Class, ClassId, ClassList};
use serde::Serialize;

/// The figures of one class. A ratio with a denominator of 0 is 0, as with scikit-learn's `zero_division=0`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// The class's folder, such as `12.Eiffel_Tower`.
    pub class: String,
    /// Its name for people, such as `Eiffel Tower`.
    pub name: String,
    /// Of the photos taken for this class, the fraction that show it.
    pub precision: f64,
    /// Of the photos that show this class, the fraction taken for it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// How many photos show this class.
    pub support: usize,
}

/// One report for each class, in class order: scikit-learn's `precision_recall_fscore_support(average=None)`
/// with `labels` naming every class.
///
/// # Panics
/// When the matrix and the list differ in their number of classes.
pub fn class_reports(confusion: &ConfusionMatrix, classes: &ClassList) -> Vec<ClassReport> {
    assert_eq!(confusion.classes(), classes.len(), "the confusion matrix and the class list must agree");
    let report = |(id, class): (ClassId, &Class)| {
        let (right, support) = (confusion.count(id, id), confusion.support(id));
        ClassReport {
            class: class.folder.clone(),
            name: class.name.clone(),
            precision: fraction(right, confusion.predicted(id)),
            recall: fraction(right, support),
            f1: f1(confusion, id),
            support,
        }
    };
    classes.iter().map(report).collect()
}

/// The classes, best F1 first. Those without a photo stand last: their figures say nothing.
pub(crate) fn best_first(classes: &[ClassReport]) -> Vec<&ClassReport> {
    let mut sorted: Vec<&ClassReport> = classes.iter().collect();
    sorted.sort_by(|a, b| (b.support > 0).cmp(&(a.support > 0)).then(b.f1.total_cmp(&a.f1)));
    sorted
}

/// The most classes that a table, a page or a picture shows: more would be slow to open, and nobody would look through them.
pub(crate) const MOST_SHOWN: usize = 300;

/// The classes that a reader is shown, best F1 first: all, or where there are more than [`MOST_SHOWN`], a third of so many that
/// are best and two thirds that are worst, of those with photos.
pub(crate) fn worth_showing(classes: &[ClassReport]) -> Vec<&ClassReport> {
    let mut sorted = best_first(classes);
    if sorted.len() > MOST_SHOWN {
        sorted.retain(|class| class.support > 0);
    }
    if sorted.len() > MOST_SHOWN {
        let best = MOST_SHOWN / 3;
        sorted.drain(best..sorted.len() - (MOST_SHOWN - best));
    }
    sorted
}

/// Mean of the F1 of the classes that some photo shows or was taken for, each weighing the same.
///
/// That is scikit-learn's `f1_score(average="macro", zero_division=0)` with its default `labels=None`: a
/// class that appears neither in the truth nor among the predictions is left out, so that testing on part of
/// the classes does not drag the mean down. Not a number when there is no photo at all.
pub fn macro_f1(confusion: &ConfusionMatrix) -> f64 {
    let present: Vec<f64> = confusion
        .class_ids()
        .filter(|&class| confusion.support(class) + confusion.predicted(class) > 0)
        .map(|class| f1(confusion, class))
        .collect();
    present.iter().sum::<f64>() / present.len() as f64
}

/// 2 TP / (2 TP + FP + FN), which is the harmonic mean of precision and recall.
fn f1(confusion: &ConfusionMatrix, class: ClassId) -> f64 {
    fraction(2 * confusion.count(class, class), confusion.support(class) + confusion.predicted(class))
}

fn fraction(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
