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
/// Equation 3 of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). A bin holds its upper edge and
/// not its lower one, as in the authors' code.
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
