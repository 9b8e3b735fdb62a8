//! What share of a library's photos shows landmarks that the model knows, named rightly.

use super::rightness::probability;

/// Before anything is known of a library: one photo in fifty, as sure as of fifty photos.
const PRIOR_SHARE: f64 = 0.02;
const PRIOR_WEIGHT: f64 = 50.0;

/// The share is found when it moves less than this.
const SETTLED: f64 = 1e-6;
const MAX_STEPS: usize = 500;

/// The share of photos that show a landmark, by the log likelihood ratios of all photos' scores: expectation and maximisation
/// (Saerens, Latinne and Decaestecker 2002), with a prior that assumes few.
pub(super) fn share_of_landmarks(log_ratios: &[f64]) -> f64 {
    let mut share: f64 = PRIOR_SHARE;
    for _ in 0..MAX_STEPS {
        let odds = (share / (1.0 - share)).ln();
        let expected: f64 = log_ratios.iter().map(|ratio| probability(ratio + odds)).sum();
        let next = (expected + PRIOR_SHARE * PRIOR_WEIGHT) / (log_ratios.len() as f64 + PRIOR_WEIGHT);
        let moved = (next - share).abs();
        share = next;
        if moved < SETTLED {
            break;
        }
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores of two normal distributions, at evenly spaced quantiles, as log likelihood ratios between them.
    fn mixture(landmarks: usize, others: usize) -> Vec<f64> {
        // Means -2 and 2, deviation 1.4: the log ratio is linear.
        let ratio = |score: f64| 4.0 * score / (1.4 * 1.4);
        let draws = |mean: f64, count: usize| {
            (0..count).map(move |index| {
                let angle = std::f64::consts::TAU * (index as f64 * 0.618_034).fract();
                let radius = (-2.0 * ((index as f64 + 0.5) / count as f64).ln()).sqrt();
                mean + 1.4 * radius * angle.cos()
            })
        };
        draws(2.0, landmarks).chain(draws(-2.0, others)).map(ratio).collect()
    }

    #[test]
    fn the_share_is_found_from_the_scores_alone() {
        for (landmarks, others) in [(1000, 1000), (200, 4000), (50, 1000)] {
            let share = share_of_landmarks(&mixture(landmarks, others));
            let truth = landmarks as f64 / (landmarks + others) as f64;
            assert!((share / truth - 1.0).abs() < 0.2, "{share}, not {truth}");
        }
    }

    #[test]
    fn little_evidence_leaves_few() {
        assert!((share_of_landmarks(&[]) - PRIOR_SHARE).abs() < 1e-9);
        assert!(share_of_landmarks(&[1.0, 1.0]) < 0.06);
    }
}
