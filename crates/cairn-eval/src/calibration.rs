//! Whether the network's confidence can be believed.

/// The network's belief in its own answer for one photo, and whether the answer was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// Probability of the likeliest class, 0 to 1.
    pub probability: f64,
    /// Whether that class is the photo's.
    pub correct: bool,
}

/// Number of equal-width bins in which calibration is measured, as in Guo et al.
const BINS: usize = 15;

/// How often answers of like confidence are right: what a reliability diagram shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// 15 bins of equal width from confidence 0 to 1. A bin holds its upper edge and not its lower one.
    pub bins: Vec<ReliabilityBin>,
}

/// The photos whose confidence is in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReliabilityBin {
    /// How many they are.
    pub photos: usize,
    /// Sum of their confidences.
    confidence: f64,
    /// How many of them are named rightly.
    correct: usize,
}

impl ReliabilityBin {
    /// Mean confidence of its photos; not a number when there is none.
    pub fn confidence(&self) -> f64 {
        self.confidence / self.photos as f64
    }

    /// Fraction of its photos that are named rightly; not a number when there is none.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.photos as f64
    }
}

impl Reliability {
    /// Sorts answers into bins.
    pub fn of(confidences: impl IntoIterator<Item = Confidence>) -> Self {
        let mut bins = vec![ReliabilityBin::default(); BINS];
        for confidence in confidences {
            let edge = (confidence.probability * BINS as f64).ceil() as usize;
            let bin = &mut bins[edge.clamp(1, BINS) - 1];
            bin.photos += 1;
            bin.confidence += confidence.probability;
            bin.correct += usize::from(confidence.correct);
        }
        Self { bins }
    }

    /// Expected calibration error: the gap between confidence and accuracy, averaged over the bins, each weighing as
    /// much as the photos in it. 0 is perfect; not a number when there is no photo.
    ///
    /// Equation 3 of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), with bins as in the authors'
    /// code.
    pub fn expected_calibration_error(&self) -> f64 {
        // |sum of confidence - sum right| is the bin's gap times its number of photos: its weight comes with it.
        let gap = |bin: &ReliabilityBin| (bin.confidence - bin.correct as f64).abs();
        let photos: usize = self.bins.iter().map(|bin| bin.photos).sum();
        self.bins.iter().map(gap).sum::<f64>() / photos as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(photos: &[(f64, bool)]) -> f64 {
        let confidences = photos.iter().map(|&(probability, correct)| Confidence { probability, correct });
        Reliability::of(confidences).expected_calibration_error()
    }

    #[test]
    fn confidence_that_is_right_as_often_as_it_says_has_no_error() {
        assert_eq!(error(&[(0.5, true), (0.5, false)]), 0.0);
        assert_eq!(error(&[(1.0, true), (0.0, false)]), 0.0);
    }

    #[test]
    fn a_bin_weighs_as_much_as_its_photos() {
        // Three photos in one bin, 0.8 sure and a third right; one in another, 0.3 sure and wrong.
        let expected = 0.75 * (0.8 - 1.0 / 3.0) + 0.25 * 0.3;
        let found = error(&[(0.8, true), (0.8, false), (0.8, false), (0.3, false)]);
        assert!((found - expected).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_bin_holds_its_upper_edge_and_not_its_lower_one() {
        // 0.2 is the upper edge of the third bin. In one bin with 0.19, their errors cancel in part.
        let together = (0.2 + 0.19 - 1.0_f64).abs() / 2.0;
        assert!((error(&[(0.2, true), (0.19, false)]) - together).abs() < 1e-12);
        let apart = ((0.2 - 1.0_f64).abs() + 0.21) / 2.0;
        assert!((error(&[(0.2, true), (0.21, false)]) - apart).abs() < 1e-12);
    }
}
