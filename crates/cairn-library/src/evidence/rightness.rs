//! From a photo's score to the odds that it shows the landmark that is named.

use crate::state::ModelRow;

/// How a model's landmark score becomes the logarithm of a likelihood ratio: how much more often photos of its landmarks, named
/// rightly, have this score than photos that show none of them.
///
/// The score is counted in units of the model's own thresholds: 0 at the default threshold, 1 at the sure one. Its curve belongs to
/// the shipped model: that of a logistic regression with a term that is quadratic above 0, as of two normal distributions of which the
/// landmarks' is the wider one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rightness {
    threshold: f64,
    sure: f64,
}

/// Intercept, slope and curvature, where one half of the other photos are of kinds that the model was not calibrated with (120 houses,
/// rooms and other buildings, each kind by a calibration without it), and the other half are other landmarks. Of those there are
/// none that the shipped model does not know: what the model before said of 1,206 stands for them, at scores that as many of the
/// validation photos reach (`tests/rightness_reference.py`, `tests/rightness_carried_over.py`).
const INTERCEPT: f64 = -1.741;
const SLOPE: f64 = 1.353;
const CURVATURE: f64 = 0.556;

/// No score is worth more than this: beyond it, there were no calibration photos of other things at all.
const MAX_LOG_RATIO: f64 = 7.0;

impl Rightness {
    /// Of a model; `None` where it has no two thresholds, so that its score has no unit.
    pub fn of(model: &ModelRow) -> Option<Rightness> {
        let (threshold, sure) = (model.threshold?, model.sure?);
        (sure > threshold && sure.is_finite() && threshold.is_finite())
            .then_some(Rightness { threshold, sure })
    }

    /// The score in units of the model's thresholds.
    pub fn units(self, score: f64) -> f64 {
        (score - self.threshold) / (self.sure - self.threshold)
    }

    /// The logarithm of the likelihood ratio of a score. One that is not a number is of no landmark.
    pub fn log_ratio(self, score: f64) -> f64 {
        let units = self.units(score);
        if units.is_nan() {
            return f64::NEG_INFINITY;
        }
        (INTERCEPT + SLOPE * units + CURVATURE * units.max(0.0).powi(2)).min(MAX_LOG_RATIO)
    }

    /// From which score on a landmark is worth considering: the model's default threshold.
    pub fn threshold(self) -> f64 {
        self.threshold
    }

    /// From which score on the model calls itself sure.
    pub fn sure(self) -> f64 {
        self.sure
    }
}

/// The probability of these odds.
pub(super) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The logarithm of the odds of a probability inside of (0, 1).
pub(super) fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(threshold: Option<f64>, sure: Option<f64>) -> ModelRow {
        ModelRow {
            hash: String::new(),
            views: String::new(),
            name: String::new(),
            score: None,
            threshold,
            sure,
        }
    }

    #[test]
    fn a_higher_score_is_never_less_likely_to_be_right() {
        let rightness = Rightness::of(&model(Some(0.015), Some(0.144))).unwrap();
        let ratios: Vec<f64> = (-100..100).map(|step| rightness.log_ratio(f64::from(step) / 100.0)).collect();
        assert!(ratios.is_sorted(), "{ratios:?}");
        assert_eq!(rightness.log_ratio(f64::NAN), f64::NEG_INFINITY);
        assert!(rightness.log_ratio(1e9) <= MAX_LOG_RATIO);
    }

    #[test]
    fn a_model_without_both_thresholds_says_nothing() {
        assert_eq!(Rightness::of(&model(Some(0.1), None)), None);
        assert_eq!(Rightness::of(&model(None, Some(0.1))), None);
        assert_eq!(Rightness::of(&model(Some(0.2), Some(0.1))), None);
    }

    #[test]
    fn odds_and_probabilities_are_inverse() {
        for p in [0.001, 0.5, 0.999] {
            assert!((probability(log_odds(p)) - p).abs() < 1e-12);
        }
    }
}
