//! Which labels of a data set are likely wrong, by predictions that did not learn from them.

use cairn_dataset::ClassId;
use serde::Serialize;

/// What the labelled photos of a class and predictions for all photos say of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LabelIssue {
    /// The photo's place among all.
    pub photo: usize,
    /// The class of its label.
    pub given: ClassId,
    /// The class that it likelier shows.
    pub suggested: ClassId,
    /// How probable the predictions hold the label: the lower, the likelier it is wrong.
    pub given_probability: f64,
    /// How probable they hold the other class.
    pub suggested_probability: f64,
}

/// Labels that are likely wrong, the likeliest first: confident learning (Northcutt, Jiang and Chuang 2021, "Confident
/// Learning: Estimating Uncertainty in Dataset Labels", <https://arxiv.org/abs/1911.00068>).
///
/// A photo is counted to a class if its probability for it reaches the mean probability that photos with that label have for
/// it; if it reaches several, to the most probable. A label is in doubt where that is another class than the label, and the
/// label is not the most probable class either. They are in the order of the label's probability. This is cleanlab's
/// `find_label_issues` with `filter_by="confident_learning"` and `return_indices_ranked_by="self_confidence"`.
///
/// `probabilities` are `[photos][classes]`, and must come from models that did not learn from the photo's own label.
///
/// # Panics
/// When there is not a row of probabilities for each label, or a label is beyond a row.
pub fn label_issues(labels: &[ClassId], probabilities: &[Vec<f64>]) -> Vec<LabelIssue> {
    assert_eq!(labels.len(), probabilities.len(), "a photo has a label and probabilities");
    let classes = probabilities.first().map_or(0, Vec::len);
    let thresholds = mean_confidence(labels, probabilities, classes);
    let mut issues: Vec<LabelIssue> = labels
        .iter()
        .zip(probabilities)
        .enumerate()
        .filter_map(|(photo, (&given, row))| {
            let suggested = confident_class(row, &thresholds)?;
            let doubted = suggested != given.index() && greatest(row) != given.index();
            doubted.then(|| LabelIssue {
                photo,
                given,
                suggested: ClassId::new(suggested),
                given_probability: row[given.index()],
                suggested_probability: row[suggested],
            })
        })
        .collect();
    issues.sort_by(|a, b| a.given_probability.total_cmp(&b.given_probability));
    issues
}

/// For each class, the mean probability of it for photos that are labelled so; `None` for a class without photos.
fn mean_confidence(labels: &[ClassId], probabilities: &[Vec<f64>], classes: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_usize); classes];
    for (label, row) in labels.iter().zip(probabilities) {
        let (sum, count) = &mut sums[label.index()];
        (*sum, *count) = (*sum + row[label.index()], *count + 1);
    }
    sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / count as f64)).collect()
}

/// The class that a photo is counted to, if it is to any.
fn confident_class(row: &[f64], thresholds: &[Option<f64>]) -> Option<usize> {
    /// By how much a sum of rounded numbers may fall short.
    const ROUNDING: f64 = 1e-6;
    let reached = |class: &usize| thresholds[*class].is_some_and(|least| row[*class] >= least - ROUNDING);
    let mut reached = (0..row.len()).filter(reached);
    let first = reached.next()?;
    Some(if reached.next().is_some() { greatest(row) } else { first })
}

/// The first of the greatest.
fn greatest(row: &[f64]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default()
}

/// Photos that are far from all others, the farthest first, as (place, likeness): those whose `likeness` to the nearest
/// others is below the lower quartile by three times the distance between the quartiles (Tukey's outer fence: Tukey 1977,
/// "Exploratory Data Analysis", section 2D).
pub fn odd_ones(likeness: &[f64]) -> Vec<(usize, f64)> {
    let mut sorted: Vec<f64> = likeness.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(lower), Some(upper)) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75)) else {
        return vec![];
    };
    let fence = lower - 3.0 * (upper - lower);
    let mut odd: Vec<(usize, f64)> =
        likeness.iter().copied().enumerate().filter(|(_, likeness)| *likeness < fence).collect();
    odd.sort_by(|a, b| a.1.total_cmp(&b.1));
    odd
}

/// Between the two nearest values, as NumPy's `quantile`.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_a_confident_prediction_contradicts_are_listed_the_least_probable_first() {
        let labels = [0, 0, 0, 1, 1, 1].map(ClassId::new);
        let probabilities: Vec<Vec<f64>> = [
            [0.9, 0.1],
            [0.8, 0.2],
            [0.2, 0.8], // Labelled 0, shows 1: class 1's threshold is 0.6.
            [0.05, 0.95],
            [0.25, 0.75],
            [0.9, 0.1], // Labelled 1, shows 0: class 0's threshold is 0.6333.
        ]
        .map(|row| row.to_vec())
        .to_vec();
        let found = label_issues(&labels, &probabilities);
        let places: Vec<(usize, usize)> =
            found.iter().map(|issue| (issue.photo, issue.suggested.index())).collect();
        assert_eq!(places, [(5, 0), (2, 1)]);
        assert_eq!(found[0].given_probability, 0.1);
    }

    #[test]
    fn what_no_class_is_confident_of_is_left_alone_and_a_class_without_photos_suggests_nothing() {
        let labels = [0, 0, 1, 1].map(ClassId::new);
        let row = |a: f64, b: f64, c: f64| vec![a, b, c];
        // The third class has no photos, however probable it is held.
        let found = label_issues(
            &labels,
            &[row(0.9, 0.05, 0.05), row(0.1, 0.1, 0.8), row(0.1, 0.8, 0.1), row(0.3, 0.35, 0.35)],
        );
        assert_eq!(found, []);
    }

    #[test]
    fn a_photo_far_from_all_others_is_odd() {
        let mut likeness: Vec<f64> = (0..100).map(|n| 0.7 + f64::from(n % 10) * 0.01).collect();
        assert_eq!(odd_ones(&likeness), []);
        likeness[40] = 0.2;
        likeness[70] = 0.1;
        assert_eq!(odd_ones(&likeness), [(70, 0.1), (40, 0.2)]);
        assert_eq!(odd_ones(&[]), []);
    }
}
