//! What is kept of the logits of a photo where there are too many classes to keep them all.

use cairn_dataset::{ClassId, Softmax};

use crate::prediction::{Prediction, rank};

/// The greatest logits, which are kept as they are.
const TOP: usize = 16;
/// Bins of equal width for all others.
const BINS: usize = 64;

/// One photo's logits in half a kilobyte, however many there are.
///
/// Its softmax at temperature 1 is exact. At others it is that of the greatest logits, exactly, and of the means of bins of the
/// others, which are taken to be spread evenly over a 64th of their range.
#[derive(Debug, Clone)]
pub(crate) struct RowSummary {
    truth: ClassId,
    truth_logit: f64,
    /// How many classes are likelier than the true one.
    pub(crate) rank: usize,
    /// The likeliest class and its logit; `None` of logits that have no softmax.
    greatest: Option<(ClassId, f64)>,
    /// At temperature 1.
    log_sum: f64,
    /// Logits, each with how many there are of about this value.
    parts: Vec<(f32, u32)>,
    /// Width of the bins of those of which there are several.
    width: f64,
}

impl RowSummary {
    pub(crate) fn of(truth: ClassId, logits: &[f32]) -> Self {
        let class = ClassId::of_greatest(logits);
        // Without a softmax there is nothing to be made of them.
        let (parts, width) = class.map_or_else(Default::default, |_| parts(logits));
        Self {
            truth,
            truth_logit: logits[truth.index()].into(),
            rank: rank(logits, truth),
            greatest: class.map(|class| (class, logits[class.index()].into())),
            log_sum: Softmax::of(logits.iter().map(|&logit| f64::from(logit))).log_sum(),
            parts,
            width,
        }
    }

    pub(crate) fn truth(&self) -> ClassId {
        self.truth
    }

    /// What the model says, dividing logits by `temperature`; `None` if they have no softmax.
    pub(crate) fn prediction(&self, temperature: f64) -> Option<Prediction> {
        let (class, greatest) = self.greatest?;
        let log_sum = if temperature == 1.0 { self.log_sum } else { self.log_sum_at(1.0 / temperature) };
        Some(Prediction {
            truth: self.truth,
            class,
            probability: (greatest / temperature - log_sum).exp(),
            loss: log_sum - self.truth_logit / temperature,
        })
    }

    /// Whether a temperature can be learned from it.
    pub(crate) fn is_usable(&self) -> bool {
        self.greatest.is_some() && self.truth_logit.is_finite()
    }

    /// The derivative of `-log softmax(sharpness * logits)[truth]` by the sharpness.
    pub(crate) fn slope(&self, sharpness: f64) -> f64 {
        let (mut weights, mut sum) = (0.0, 0.0);
        for (logit, weight) in self.weights(sharpness) {
            weights += weight;
            sum += weight * logit;
        }
        sum / weights - self.truth_logit
    }

    fn log_sum_at(&self, sharpness: f64) -> f64 {
        let greatest = self.greatest.map_or(0.0, |(_, logit)| logit);
        sharpness * greatest + self.weights(sharpness).map(|(_, weight)| weight).sum::<f64>().ln()
    }

    /// Logits, each with how much all of about this value weigh beside the greatest; both are means over the width of a bin, to
    /// the second order.
    fn weights(&self, sharpness: f64) -> impl Iterator<Item = (f64, f64)> {
        let greatest = self.greatest.map_or(0.0, |(_, logit)| logit);
        self.parts.iter().map(move |&(logit, count)| {
            let logit = f64::from(logit);
            let variance = self.width.powi(2) / 12.0 * (1.0 - 1.0 / f64::from(count));
            let weight = f64::from(count) * (sharpness * (logit - greatest)).exp();
            let spread = 1.0 + sharpness.powi(2) * variance / 2.0;
            (logit + sharpness * variance / spread, weight * spread)
        })
    }
}

/// The greatest logits, each by itself, and the means of the bins of all others that are not ruled out; and the bins' width.
fn parts(logits: &[f32]) -> (Vec<(f32, u32)>, f64) {
    let mut logits: Vec<f32> = logits.iter().copied().filter(|logit| logit.is_finite()).collect();
    let top = TOP.min(logits.len());
    if top < logits.len() {
        logits.select_nth_unstable_by(top, |a, b| b.total_cmp(a));
    }
    let (greatest, others) = logits.split_at(top);
    let mut parts: Vec<(f32, u32)> = greatest.iter().map(|&logit| (logit, 1)).collect();
    let (least, most) = others
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &l| (least.min(l), most.max(l)));
    let width = (f64::from(most) - f64::from(least)) / BINS as f64;
    let mut bins = [(0.0_f64, 0_u32); BINS];
    for &logit in others {
        let place = (f64::from(logit) - f64::from(least)) / width;
        // All alike: not a number, which `as` makes 0.
        let bin = &mut bins[(place as usize).min(BINS - 1)];
        *bin = (bin.0 + f64::from(logit), bin.1 + 1);
    }
    let filled = bins.into_iter().filter(|(_, count)| *count > 0);
    parts.extend(filled.map(|(sum, count)| ((sum / f64::from(count)) as f32, count)));
    (parts, if width.is_finite() { width } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits as a network of so many classes may have them: the true one and some others stand out.
    fn logits(classes: usize) -> Vec<f32> {
        let noise = |class: usize| (class as f32 * 12.9898).sin() * 43.7585 % 1.0;
        (0..classes)
            .map(|class| 2.5 * noise(class) + if class.is_multiple_of(97) { 4.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn a_summary_says_what_all_the_logits_say() {
        let logits = logits(20_000);
        for truth in [97, 5, 19_400].map(ClassId::new) {
            let summary = RowSummary::of(truth, &logits);
            assert_eq!(summary.rank, rank(&logits, truth));
            for (temperature, tolerance) in [(1.0, 1e-9), (0.5, 1e-3), (1.7, 1e-3), (4.0, 1e-3)] {
                let exact = Prediction::of(truth, &logits, temperature).unwrap();
                let found = summary.prediction(temperature).unwrap();
                assert_eq!((found.class, found.truth), (exact.class, exact.truth));
                assert!((found.loss - exact.loss).abs() < tolerance, "{temperature}: {found:?} {exact:?}");
                assert!((found.probability / exact.probability - 1.0).abs() < tolerance);
            }
        }
        assert!(RowSummary::of(ClassId::new(0), &logits).parts.len() <= TOP + BINS);
    }

    #[test]
    fn logits_without_a_softmax_have_no_prediction_and_those_that_are_ruled_out_no_weight() {
        for broken in [f32::NAN, f32::INFINITY] {
            let summary = RowSummary::of(ClassId::new(1), &[1.0, 2.0, broken]);
            assert!(summary.prediction(1.0).is_none() && !summary.is_usable());
        }
        let logits = [1.0, 2.0, f32::NEG_INFINITY];
        let summary = RowSummary::of(ClassId::new(1), &logits);
        let exact = Prediction::of(ClassId::new(1), &logits, 2.0).unwrap();
        assert!((summary.prediction(2.0).unwrap().loss - exact.loss).abs() < 1e-9);
        assert!(!RowSummary::of(ClassId::new(2), &logits).is_usable());
        let alike = RowSummary::of(ClassId::new(1), &[3.0; 100]);
        assert!((alike.prediction(2.0).unwrap().probability - 0.01).abs() < 1e-9);
    }
}
