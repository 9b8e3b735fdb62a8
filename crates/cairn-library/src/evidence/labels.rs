//! What the library itself says about how right the model is: photos with a position, and a person's decisions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::assessed::Assessed;
use super::rightness::probability;
use crate::state::Verdict;

/// Of photos with a position of their own that the model is sure of, how many are within sight of the landmark.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Precision {
    /// Photos with a position that the model is sure of.
    pub photos: usize,
    /// Of these, those within sight of the landmark.
    pub in_sight: usize,
    /// The interval of the share in sight at 95 % (Wilson 1927), unless there is none.
    pub interval: Option<(f64, f64)>,
    /// By landmark.
    pub landmarks: Vec<LandmarkPrecision>,
}

/// Of one landmark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LandmarkPrecision {
    /// Its name.
    pub landmark: String,
    /// Photos with a position that the model is sure of.
    pub photos: usize,
    /// Of these, those within sight.
    pub in_sight: usize,
}

impl Precision {
    pub(super) fn of(assessed: &[Assessed]) -> Precision {
        let mut landmarks: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for photo in assessed.iter().filter(|photo| photo.is_sure) {
            let seen = match photo.context.verdict {
                Verdict::InSight => 1,
                Verdict::Conflict => 0,
                _ => continue,
            };
            let counts = landmarks.entry(&photo.landmark).or_default();
            *counts = (counts.0 + 1, counts.1 + seen);
        }
        let (photos, in_sight) = landmarks.values().fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        let landmark = |(name, (photos, in_sight)): (&str, (usize, usize))| LandmarkPrecision {
            landmark: name.to_owned(),
            photos,
            in_sight,
        };
        Precision {
            photos,
            in_sight,
            interval: wilson(in_sight, photos),
            landmarks: landmarks.into_iter().map(landmark).collect(),
        }
    }
}

/// The interval of a share at 95 % (Wilson 1927).
fn wilson(right: usize, all: usize) -> Option<(f64, f64)> {
    const Z: f64 = 1.96;
    if all == 0 {
        return None;
    }
    let (n, p) = (all as f64, right as f64 / all as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

/// What must be added to all log odds so that they agree with photos of which the truth is known: the maximum of their likelihood
/// and a normal prior around 0, by Newton's method.
///
/// `labels` are log odds and whether the mark is right.
pub(super) fn correction(labels: &[(f64, bool)]) -> f64 {
    /// How far off a library is likely to be: a factor of e in the odds.
    const DEVIATION: f64 = 1.0;
    const STEPS: usize = 50;
    let mut shift: f64 = 0.0;
    for _ in 0..STEPS {
        let (mut slope, mut curvature) = (-shift / DEVIATION.powi(2), 1.0 / DEVIATION.powi(2));
        for (log_odds, is_right) in labels {
            let p = probability(log_odds + shift);
            slope += f64::from(u8::from(*is_right)) - p;
            curvature += p * (1.0 - p);
        }
        // The likelihood is concave; a bounded step keeps Newton's method from leaping over its top.
        let step = (slope / curvature).clamp(-1.0, 1.0);
        shift += step;
        if step.abs() < 1e-9 {
            break;
        }
    }
    shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe 1998, table I: 81 of 263, and 0 of 20.
        let close = |(low, high): (f64, f64), expected: (f64, f64)| {
            (low - expected.0).abs() < 5e-4 && (high - expected.1).abs() < 5e-4
        };
        assert!(close(wilson(81, 263).unwrap(), (0.2553, 0.3662)));
        assert!(close(wilson(0, 20).unwrap(), (0.0, 0.1611)));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn labels_correct_the_odds_and_few_of_them_do_little() {
        assert_eq!(correction(&[]), 0.0);
        // 900 of 1,000 are right where even odds were expected.
        let labels: Vec<(f64, bool)> = (0..1000).map(|index| (0.0, index % 10 != 0)).collect();
        assert!((correction(&labels) - 9_f64.ln()).abs() < 0.05, "{}", correction(&labels));
        let one = correction(&[(0.0, false)]);
        assert!((-0.5..-0.3).contains(&one), "{one}");
    }
}
