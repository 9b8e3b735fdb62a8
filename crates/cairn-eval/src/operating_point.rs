//! Where a threshold is set so that few distractors are accepted, and what a threshold accepts.

use serde::Serialize;

use crate::rejection::{Answer, Shows, rankable};

/// The share of distractors that the sure operating point accepts at most.
pub const FALSE_LANDMARKS: f64 = 0.02;
/// The fewest distractors for an estimate of such a threshold.
pub const FEWEST_DISTRACTORS: usize = 20;

/// Quantiles of the standard normal distribution: of `1 - FALSE_LANDMARKS`, and of the confidence of 95 %.
const Z_SHARE: f64 = 2.053_748_910_631_823;
const Z_CONFIDENCE: f64 = 1.644_853_626_951_472;

/// A threshold that at most 2 % ([`FALSE_LANDMARKS`]) of photos like these distractors reach.
///
/// Two percent of some sixty photos is about one photo, too few to count. So a normal distribution is fitted to the
/// scores, and the threshold is its one-sided tolerance limit: with a confidence of 95 %, 98 % of the distribution lies
/// below it (Natrella, "Experimental Statistics", NBS Handbook 91, section 2-3.2, the approximate factor). If more than
/// 2 % of the scores themselves reach that limit, their tail is heavier than a normal one, and the threshold is just
/// above the scores that are too many.
///
/// The scores should not be bounded: give the log-odds of a probability. `None` with fewer than
/// [`FEWEST_DISTRACTORS`] scores that are finite.
pub fn threshold_at_false_landmarks(distractors: &[f64]) -> Option<f64> {
    let mut scores: Vec<f64> = distractors.iter().copied().filter(|score| score.is_finite()).collect();
    if scores.len() < FEWEST_DISTRACTORS {
        return None;
    }
    let count = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let limit = mean + tolerance_factor(count) * variance.sqrt();
    // The highest score that must stay below the threshold.
    scores.sort_by(|a, b| b.total_cmp(a));
    let accepted = (FALSE_LANDMARKS * count) as usize;
    Some(limit.max(scores[accepted].next_up()))
}

/// The tolerance limit for this number of values, in standard deviations above their mean.
fn tolerance_factor(count: f64) -> f64 {
    let a = 1.0 - Z_CONFIDENCE.powi(2) / (2.0 * (count - 1.0));
    let b = Z_SHARE.powi(2) - Z_CONFIDENCE.powi(2) / count;
    (Z_SHARE + (Z_SHARE.powi(2) - a * b).sqrt()) / a
}

/// What a threshold accepts. Serialises with the field names as keys.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// The lowest score that is accepted.
    pub threshold: f64,
    /// Share of the photos of landmarks that are accepted, in `[0, 1]`.
    pub accepted_landmarks: f64,
    /// Share of the photos of landmarks that are accepted and named right, in `[0, 1]`.
    pub right_landmarks: f64,
    /// Share of the distractors that are accepted (false landmarks), in `[0, 1]`.
    pub accepted_distractors: f64,
}

impl OperatingPoint {
    /// Of `threshold` on these answers. Shares of a kind without an answer are not numbers.
    pub fn of(threshold: f64, answers: &[Answer]) -> Self {
        let share = |of: fn(Shows) -> bool, wanted: fn(Shows) -> bool| {
            let all = answers.iter().filter(|answer| of(answer.shows));
            let accepted = all.clone().filter(|answer| rankable(answer.score) >= threshold);
            accepted.filter(|answer| wanted(answer.shows)).count() as f64 / all.count() as f64
        };
        let landmark = |shows| shows != Shows::NoLandmark;
        Self {
            threshold,
            accepted_landmarks: share(landmark, |_| true),
            right_landmarks: share(landmark, |shows| shows == Shows::ThatLandmark),
            accepted_distractors: share(|shows| shows == Shows::NoLandmark, |_| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tolerance_factor_agrees_with_the_noncentral_t_distribution() {
        // tests/tolerance_reference.py
        for (count, exact) in
            [(20.0, 2.9334), (30.0, 2.7246), (60.0, 2.4919), (120.0, 2.3483), (1000.0, 2.1487)]
        {
            let found = tolerance_factor(count);
            assert!((found / exact - 1.0).abs() < 0.01, "{count}: {found}, exactly {exact}");
        }
    }

    #[test]
    fn the_threshold_lies_above_98_percent_of_a_normal_population() {
        // Scores at the quantiles of a normal distribution, by the logistic approximation to within 1 %.
        let quantile = |n: usize, of: usize| {
            let p = (n as f64 + 0.5) / of as f64;
            let upper = p.max(1.0 - p);
            (p - 0.5).signum() * 5.5556 * (1.0 - ((1.0 - upper) / upper).powf(0.1186))
        };
        for count in [20, 60, 120, 1000] {
            let scores: Vec<f64> = (0..count).map(|n| 10.0 + 3.0 * quantile(n, count)).collect();
            let threshold = threshold_at_false_landmarks(&scores).unwrap();
            assert!(threshold > 10.0 + 3.0 * Z_SHARE, "{count} photos: {threshold}");
            assert!(threshold < 10.0 + 3.0 * 3.1, "{count} photos: {threshold}");
        }
    }

    #[test]
    fn fewer_photos_ask_for_a_higher_threshold() {
        let alternating = |count: usize| (0..count).map(|n| (n % 2) as f64).collect::<Vec<_>>();
        let [few, more, many] = [20, 60, 600].map(|n| threshold_at_false_landmarks(&alternating(n)).unwrap());
        assert!(few > more && more > many, "{few} {more} {many}");
    }

    #[test]
    fn no_more_than_2_percent_of_the_scores_themselves_reach_the_threshold() {
        // Heavy tails: three of a hundred far out.
        let mut scores: Vec<f64> = (0..97).map(|n| f64::from(n) * 1e-3).collect();
        scores.extend([50.0, 60.0, 70.0]);
        let threshold = threshold_at_false_landmarks(&scores).unwrap();
        assert!(threshold > 50.0, "{threshold}");
        assert_eq!(scores.iter().filter(|&&score| score >= threshold).count(), 2);
    }

    #[test]
    fn too_few_photos_or_scores_that_are_no_numbers_give_no_threshold() {
        assert_eq!(threshold_at_false_landmarks(&[0.5; FEWEST_DISTRACTORS - 1]), None);
        assert_eq!(threshold_at_false_landmarks(&[f64::NAN; 100]), None);
        assert!(
            threshold_at_false_landmarks(&[0.5; FEWEST_DISTRACTORS]).is_some_and(|threshold| threshold > 0.5)
        );
    }

    #[test]
    fn an_operating_point_counts_each_kind_by_itself() {
        use Shows::{AnotherLandmark, NoLandmark, ThatLandmark};
        let answers = [
            (0.9, ThatLandmark),
            (0.5, AnotherLandmark),
            (0.4, ThatLandmark),
            (f64::NAN, ThatLandmark),
            (0.6, NoLandmark),
            (0.1, NoLandmark),
        ]
        .map(|(score, shows)| Answer { score, shows });
        let point = OperatingPoint::of(0.5, &answers);
        assert_eq!((point.accepted_landmarks, point.right_landmarks), (0.5, 0.25));
        assert_eq!(point.accepted_distractors, 0.5);
        assert!(OperatingPoint::of(0.5, &answers[..4]).accepted_distractors.is_nan());
    }
}
