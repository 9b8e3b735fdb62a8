//! Whether a model knows what it does not know: how well a score of its own tells photos of its landmarks from
//! distractors, photos that show none of them.
//!
//! The higher the score, the surer the model is that it knows what it sees. A score that is not a number counts as the
//! lowest of all.

use serde::Serialize;

/// What a model answered for one photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// How sure the model is that the photo shows a landmark that it knows.
    pub score: f64,
    /// What the photo shows.
    pub shows: Shows,
}

/// What a photo shows, by the landmark that the model named first for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The landmark that was named.
    ThatLandmark,
    /// Another of the landmarks that the model knows.
    AnotherLandmark,
    /// None of them.
    NoLandmark,
}

/// How well a score separates landmarks from distractors. Serialises with the field names as keys.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RejectionMetrics {
    /// See [`auroc`].
    pub auroc: f64,
    /// Share of the distractors accepted where 95 % of the landmarks are: see [`false_positive_rate`].
    pub fpr95: f64,
    /// See [`global_average_precision`].
    pub gap: f64,
}

/// The share of landmarks that is accepted where false acceptances are counted, and where thresholds are set.
pub const RECALL: f64 = 0.95;

impl RejectionMetrics {
    /// Of answers for photos of landmarks and for distractors. Not numbers where either kind is missing.
    pub fn of(answers: &[Answer]) -> Self {
        let is_distractor = |answer: &&Answer| answer.shows == Shows::NoLandmark;
        let (distractors, landmarks): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(is_distractor);
        let scores = |answers: Vec<&Answer>| answers.iter().map(|answer| answer.score).collect::<Vec<_>>();
        let (landmarks, distractors) = (scores(landmarks), scores(distractors));
        Self {
            auroc: auroc(&landmarks, &distractors),
            fpr95: false_positive_rate(&landmarks, &distractors, RECALL),
            gap: global_average_precision(answers),
        }
    }
}

/// Area under the ROC curve: how likely a landmark's score is higher than a distractor's, equal scores counting half
/// (the Mann-Whitney statistic; scikit-learn's `roc_auc_score`). Not a number where either list is empty.
pub fn auroc(landmarks: &[f64], distractors: &[f64]) -> f64 {
    let distractors = ascending(distractors);
    let lower_ones = |&score: &f64| {
        let score = rankable(score);
        let lower = distractors.partition_point(|&other| other < score);
        let up_to_equal = distractors.partition_point(|&other| other <= score);
        (lower + up_to_equal) as f64 / 2.0
    };
    landmarks.iter().map(lower_ones).sum::<f64>() / (landmarks.len() * distractors.len()) as f64
}

/// The share of the distractors that is accepted by the [threshold](threshold_at_recall) that accepts the share `recall`
/// of the landmarks. Not a number where either list is empty.
pub fn false_positive_rate(landmarks: &[f64], distractors: &[f64], recall: f64) -> f64 {
    let Some(threshold) = threshold_at_recall(landmarks, recall) else { return f64::NAN };
    let accepted = distractors.iter().filter(|&&score| rankable(score) >= threshold).count();
    accepted as f64 / distractors.len() as f64
}

/// The highest threshold that at least the share `recall` of the landmarks' scores reach; `None` without a score.
pub fn threshold_at_recall(landmarks: &[f64], recall: f64) -> Option<f64> {
    let scores = ascending(landmarks);
    // As many as may stay below. A product such as 0.95 * 20 must not ask for one more than it means.
    let needed = (recall * scores.len() as f64 - 1e-9).ceil().max(0.0) as usize;
    scores.get(scores.len().checked_sub(needed.max(1))?).copied()
}

/// Global average precision, the measure of the Google Landmark Recognition challenges (also called micro average
/// precision): all answers are put in the order of their scores, the highest first, and
///
/// GAP = 1/M * sum over i of P(i) * rel(i)
///
/// where rel(i) is 1 if answer i names the landmark that its photo shows, else 0; P(i) is the share of right answers
/// among the first i; and M is the number of photos that show a landmark. A distractor has no right answer. The
/// definition (Weyand et al., "Google Landmarks Dataset v2", CVPR 2020) leaves the order of equal scores open: here they
/// stand on one rank, so that no order of the photos matters. Not a number without a photo of a landmark.
pub fn global_average_precision(answers: &[Answer]) -> f64 {
    let mut ranked: Vec<(f64, Shows)> = answers.iter().map(|a| (rankable(a.score), a.shows)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut seen, mut sum) = (0, 0, 0.0);
    for equals in ranked.chunk_by(|a, b| a.0 == b.0) {
        let right_here = equals.iter().filter(|(_, shows)| *shows == Shows::ThatLandmark).count();
        right += right_here;
        seen += equals.len();
        sum += right_here as f64 * right as f64 / seen as f64;
    }
    sum / ranked.iter().filter(|(_, shows)| *shows != Shows::NoLandmark).count() as f64
}

fn ascending(scores: &[f64]) -> Vec<f64> {
    let mut scores: Vec<f64> = scores.iter().copied().map(rankable).collect();
    scores.sort_by(f64::total_cmp);
    scores
}

/// The score, or the lowest where it is not a number.
pub(crate) fn rankable(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Shows::{AnotherLandmark, NoLandmark, ThatLandmark};

    fn gap(answers: &[(f64, Shows)]) -> f64 {
        let answers: Vec<Answer> = answers.iter().map(|&(score, shows)| Answer { score, shows }).collect();
        global_average_precision(&answers)
    }

    #[test]
    fn gap_is_its_published_sum_worked_out_by_hand() {
        // Right at ranks 1 and 4, M = 4 photos with a landmark: (1/1 + 2/4) / 4.
        let answers = [
            (0.3, AnotherLandmark),
            (0.9, ThatLandmark),
            (0.8, NoLandmark),
            (0.5, ThatLandmark),
            (0.7, AnotherLandmark),
        ];
        assert_eq!(gap(&answers), 0.375);
    }

    #[test]
    fn gap_is_one_when_every_landmark_is_named_before_any_distractor_and_zero_when_none_is() {
        assert_eq!(gap(&[(0.9, ThatLandmark), (0.8, ThatLandmark), (0.1, NoLandmark)]), 1.0);
        assert_eq!(gap(&[(0.9, AnotherLandmark), (0.1, NoLandmark)]), 0.0);
        // A distractor that comes first costs every answer after it.
        assert_eq!(
            gap(&[(0.9, NoLandmark), (0.8, ThatLandmark), (0.7, ThatLandmark)]),
            (0.5 + 2.0 / 3.0) / 2.0
        );
    }

    #[test]
    fn answers_of_equal_score_stand_on_one_rank() {
        let forth = [(0.5, ThatLandmark), (0.5, NoLandmark), (0.5, ThatLandmark)];
        let mut back = forth;
        back.reverse();
        assert_eq!((gap(&forth), gap(&back)), (2.0 / 3.0, 2.0 / 3.0));
    }

    #[test]
    fn the_threshold_is_the_highest_that_accepts_enough() {
        let scores: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(threshold_at_recall(&scores, 0.95), Some(2.0));
        assert_eq!(threshold_at_recall(&scores, 0.951), Some(1.0));
        assert_eq!(threshold_at_recall(&scores, 1.0), Some(1.0));
        assert_eq!(threshold_at_recall(&scores, 0.0), Some(20.0));
        assert_eq!(threshold_at_recall(&[], 0.95), None);
    }

    #[test]
    fn distractors_at_the_threshold_are_accepted() {
        let landmarks: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(false_positive_rate(&landmarks, &[1.9, 2.0, 2.1, 30.0], 0.95), 0.75);
    }

    #[test]
    fn a_score_that_is_not_a_number_is_the_lowest() {
        assert_eq!(auroc(&[0.0], &[f64::NAN]), 1.0);
        assert_eq!(auroc(&[f64::NAN], &[0.0]), 0.0);
        assert_eq!(gap(&[(f64::NAN, ThatLandmark), (0.1, NoLandmark)]), 0.5);
    }

    #[test]
    fn without_landmarks_or_without_distractors_there_is_nothing_to_measure() {
        assert!(auroc(&[], &[1.0]).is_nan() && auroc(&[1.0], &[]).is_nan());
        assert!(false_positive_rate(&[], &[1.0], 0.95).is_nan());
        assert!(false_positive_rate(&[1.0], &[], 0.95).is_nan());
        assert!(gap(&[(0.4, NoLandmark)]).is_nan());
    }
}
