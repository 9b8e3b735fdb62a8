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

/// Expected calibration error: the gap between confidence and accuracy, averaged over 15 equal-width bins of
/// confidence, each weighing as much as the photos in it. 0 is perfect; not a number when there is no photo.
///
/// Equation 3 of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). A bin holds its upper
/// edge and not its lower one, as in the authors' code.
pub fn expected_calibration_error(confidences: &[Confidence]) -> f64 {
    let mut bins = [Bin::default(); BINS];
    for confidence in confidences {
        let edge = (confidence.probability * BINS as f64).ceil() as usize;
        let bin = &mut bins[edge.clamp(1, BINS) - 1];
        bin.confidence += confidence.probability;
        bin.correct += f64::from(u8::from(confidence.correct));
    }
    // |sum of confidence - sum right| is the bin's gap times its number of photos: its weight comes with it.
    let gaps: f64 = bins.iter().map(|bin| (bin.confidence - bin.correct).abs()).sum();
    gaps / confidences.len() as f64
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    confidence: f64,
    correct: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(photos: &[(f64, bool)]) -> f64 {
        let confidences: Vec<Confidence> =
            photos.iter().map(|&(probability, correct)| Confidence { probability, correct }).collect();
        expected_calibration_error(&confidences)
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
