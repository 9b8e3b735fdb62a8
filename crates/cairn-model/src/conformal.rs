//! Sets of landmarks that hold the truth as often as is asked for: split conformal prediction.

use std::ops::RangeInclusive;

use cairn_dataset::ClassId;
use serde::{Deserialize, Serialize};

use crate::{Landmark, Probability};

/// Coverages that sets are made for, in thousandths.
const COVERAGES: RangeInclusive<usize> = 800..=999;

/// From how low a probability on a landmark belongs to the set of a photo, for every coverage.
///
/// Measured on `n` photos that the network did not learn from: for the coverage `c` it is the `ceil((n + 1) * c)`-th highest
/// of the probabilities that their true landmarks have. A new photo of a landmark, drawn as these were, then has its
/// truth in the set with a probability of at least `c`, however well or badly the network does (Vovk et al. 2005; the
/// proof is theorem 1 of Sadinle et al. 2019, "Least Ambiguous Set-Valued Classifiers with Bounded Error Levels",
/// <https://arxiv.org/abs/1609.00451>). Of all rules that promise as much, this one gives the smallest sets on average. It
/// promises nothing for each landmark by itself, nor of photos that show none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// How many photos it was measured on.
    photos: usize,
    /// For 800 thousandths and each above, as far as the photos suffice.
    lowest: Vec<f32>,
}

/// The landmarks that a photo may show, one of which it does as often as was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LandmarkSet {
    /// How often the truth is among them, of photos that show a landmark that the model knows.
    pub coverage: f64,
    /// The likeliest first; never none.
    pub landmarks: Vec<Landmark>,
}

/// Why there are no sets of a coverage.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoverageError {
    /// The model was not calibrated for it.
    #[error(
        "this model has no prediction sets; `cairn calibrate MODEL --data DIR --out FILE` makes them from the photos held back \
         from its training"
    )]
    NotCalibrated,
    /// It is not offered, or takes more photos.
    #[error("a coverage of {asked} cannot be promised: this model offers {lowest} to {highest}")]
    OutOfRange {
        /// What was asked for.
        asked: f64,
        /// The lowest that is offered.
        lowest: f64,
        /// The highest that the photos suffice for.
        highest: f64,
    },
}

impl Conformal {
    /// Measured by the probabilities that photos' true landmarks have; `None` where they are too few for any coverage.
    pub fn of(mut truths: Vec<Probability>) -> Option<Self> {
        truths.sort_by(|a, b| b.value().total_cmp(&a.value()));
        let photos = truths.len();
        let rank = |coverage: usize| ((photos + 1) * coverage).div_ceil(1000);
        let lowest: Vec<f32> = COVERAGES
            .map(rank)
            .take_while(|rank| *rank <= photos)
            .map(|rank| truths[rank - 1].value())
            .collect();
        (!lowest.is_empty()).then_some(Self { photos, lowest })
    }

    /// The lowest probability of a landmark in a set of this coverage.
    ///
    /// # Errors
    /// [`CoverageError::OutOfRange`] when it is not offered.
    pub fn lowest_probability(&self, coverage: f64) -> Result<f32, CoverageError> {
        // Rounded up to thousandths; a product such as 0.95 * 1000 must not ask for one more than it means.
        let thousandths = (coverage * 1000.0 - 1e-9).ceil();
        let place =
            (thousandths >= *COVERAGES.start() as f64).then(|| thousandths as usize - COVERAGES.start());
        place.and_then(|place| self.lowest.get(place).copied()).ok_or_else(|| CoverageError::OutOfRange {
            asked: coverage,
            lowest: *COVERAGES.start() as f64 / 1000.0,
            highest: (COVERAGES.start() + self.lowest.len() - 1) as f64 / 1000.0,
        })
    }

    /// Whether its figures can have been measured: as many as there are coverages at most, probabilities, none above the one
    /// before it.
    pub(crate) fn is_sound(&self) -> bool {
        let falls = self.lowest.is_sorted_by(|a, b| a >= b);
        let all = self.lowest.iter().all(|value| (0.0..=1.0).contains(value));
        falls && all && (1..=COVERAGES.count()).contains(&self.lowest.len())
    }
}

/// The classes of a set: those of at least this probability, and the likeliest in any case. The likeliest comes first, the
/// first of equals before the others.
pub(crate) fn members(probabilities: &[Probability], lowest: f32) -> Vec<ClassId> {
    let mut ranked: Vec<usize> = (0..probabilities.len()).collect();
    ranked.sort_by(|&a, &b| probabilities[b].value().total_cmp(&probabilities[a].value()));
    let likely = ranked.iter().take_while(|&&class| probabilities[class].value() >= lowest).count();
    ranked.into_iter().take(likely.max(1)).map(ClassId::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Softmax of two logits whose first has this probability.
    fn probability(of: f64) -> Probability {
        Probability::softmax(&[(of / (1.0 - of)).ln() as f32, 0.0], 1.0)[0]
    }

    /// Numbers between 0 and 1 that follow no order: a linear congruential generator's.
    fn numbers(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_threshold_is_the_quantile_with_the_finite_sample_s_correction() {
        let values = numbers(99, 7);
        let conformal = Conformal::of(values.iter().map(|value| probability(*value)).collect()).unwrap();
        let mut sorted = values;
        sorted.sort_by(|a, b| b.total_cmp(a));
        // ceil(100 * c)-th highest, in f64.
        for (coverage, rank) in [(0.8, 80), (0.95, 95), (0.9, 90), (0.951, 96), (0.9501, 96), (0.99, 99)] {
            let found = f64::from(conformal.lowest_probability(coverage).unwrap());
            assert!((found - sorted[rank - 1]).abs() < 1e-6, "{coverage}: {found}");
        }
        // Of 99 photos no rank is high enough for more than 0.99.
        for coverage in [0.991, 0.999, 1.0, 0.5, -1.0, f64::NAN, f64::INFINITY] {
            let error = conformal.lowest_probability(coverage).unwrap_err();
            let CoverageError::OutOfRange { lowest, highest, .. } = error else { panic!("{error}") };
            assert_eq!((lowest, highest), (0.8, 0.99), "{coverage}");
        }
    }

    #[test]
    fn three_photos_promise_nothing_and_four_promise_four_fifths() {
        assert_eq!(Conformal::of(vec![probability(0.5); 3]), None);
        let four = Conformal::of(vec![probability(0.5); 4]).unwrap();
        assert!(four.lowest_probability(0.8).is_ok() && four.lowest_probability(0.81).is_err());
    }

    /// Whatever the probabilities are, the share of new photos whose truth is in its set is the coverage: on average over
    /// calibrations, `ceil((n + 1) c) / (n + 1)` for photos without equals.
    #[test]
    fn of_new_photos_as_many_as_promised_have_their_truth_in_the_set() {
        let (rounds, photos, coverage) = (400, 60, 0.9);
        let mut held = 0;
        for round in 0..rounds {
            // Few of high probability, many of low: a network that is nearly always wrong.
            let drawn: Vec<f64> = numbers(photos + 1, round).iter().map(|value| value.powi(4)).collect();
            let [new, known @ ..] = drawn.as_slice() else { unreachable!() };
            let conformal = Conformal::of(known.iter().map(|value| probability(*value)).collect()).unwrap();
            let lowest = conformal.lowest_probability(coverage).unwrap();
            held += usize::from(probability(*new).value() >= lowest);
        }
        let share = held as f64 / rounds as f64;
        // Four standard deviations of 400 draws.
        let spread = 4.0 * (coverage * (1.0 - coverage) / rounds as f64).sqrt();
        assert!((share - 55.0 / 61.0).abs() < spread, "{share}");
    }

    #[test]
    fn a_set_is_never_empty_and_holds_the_likeliest_first() {
        let probabilities = Probability::softmax(&[0.0, 2.0, 1.0, 2.0], 1.0);
        let classes =
            |lowest| members(&probabilities, lowest).iter().map(|class| class.index()).collect::<Vec<_>>();
        assert_eq!(classes(0.0), [1, 3, 2, 0]);
        assert_eq!(classes(0.2), [1, 3]);
        assert_eq!(classes(0.99), [1]);
    }

    #[test]
    fn figures_that_cannot_have_been_measured_are_told() {
        let with = |lowest: Vec<f32>| Conformal { photos: 9, lowest }.is_sound();
        assert!(with(vec![0.5, 0.5, 0.1]));
        for unsound in [vec![], vec![0.1, 0.2], vec![1.5], vec![f32::NAN], vec![0.0; 201]] {
            assert!(!with(unsound.clone()), "{unsound:?}");
        }
    }
}
