//! Temperature scaling: one number that makes a network's confidence honest.

use cairn_dataset::{ClassId, Softmax};

/// The temperatures that are considered. Where every photo is named rightly, the likelihood grows without end as the
/// temperature falls, which says nothing of photos to come; where the network does no better than chance, as it rises.
const COLDEST: f64 = 0.25;
const HOTTEST: f64 = 16.0;

/// Halvings of the interval between the two: enough for f64.
const HALVINGS: usize = 60;

/// A photo's true class and its logits.
pub(crate) type Labelled<'a> = (ClassId, &'a [f32]);

/// The temperature `T`, from 1/4 to 16, at which `softmax(logits / T)` gives the true classes the highest likelihood:
/// equation 9 of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). 1 where there is no photo to
/// learn it from, and where it would be the coldest: a few photos that are all named rightly must not make a network
/// surer than it is.
///
/// The negative log-likelihood is convex in the sharpness `1 / T`, so its slope is sought to be zero by halving. Photos
/// whose logits have no softmax, or rule the true class out, do not count: no temperature makes them likelier.
pub(crate) fn fit_temperature<'a>(photos: impl Iterator<Item = Labelled<'a>> + Clone) -> f64 {
    let usable = |(truth, logits): &Labelled<'_>| {
        logits[truth.index()].is_finite() && logits.iter().all(|&logit| logit < f32::INFINITY)
    };
    let photos = photos.filter(usable);
    if photos.clone().next().is_none() {
        return 1.0;
    }
    temperature_of_slope(|sharpness| photos.clone().map(|photo| slope(photo, sharpness)).sum())
}

/// The same by the derivative of the negative log-likelihood of some photos by the sharpness.
pub(crate) fn temperature_of_slope(slope: impl Fn(f64) -> f64) -> f64 {
    if slope(1.0 / COLDEST) < 0.0 {
        return 1.0;
    }
    let (mut blunt, mut sharp) = (1.0 / HOTTEST, 1.0 / COLDEST);
    for _ in 0..HALVINGS {
        let middle = (blunt + sharp) / 2.0;
        if slope(middle) < 0.0 {
            blunt = middle;
        } else {
            sharp = middle;
        }
    }
    2.0 / (blunt + sharp)
}

/// Derivative of a photo's `-log softmax(sharpness * logits)[truth]` by the sharpness: the logit that is expected under
/// the probabilities, less the true class's.
fn slope((truth, logits): Labelled<'_>, sharpness: f64) -> f64 {
    // A class ruled out has probability 0, and 0 times its infinite logit would not be a number.
    let finite = logits.iter().filter(|logit| logit.is_finite()).map(|&logit| f64::from(logit));
    let softmax = Softmax::of(finite.clone().map(|logit| sharpness * logit));
    let expected: f64 = finite.map(|logit| softmax.probability(sharpness * logit) * logit).sum();
    expected - f64::from(logits[truth.index()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(photos: &[(usize, [f32; 2])]) -> f64 {
        fit_temperature(photos.iter().map(|(truth, logits)| (ClassId::new(*truth), logits.as_slice())))
    }

    #[test]
    fn of_two_classes_the_temperature_is_where_confidence_equals_the_share_that_is_right() {
        // Logits 4 apart, three of four photos right: sigmoid(4 / T) = 3/4, so T = 4 / ln 3.
        let photos = [(0, [4.0, 0.0]), (0, [4.0, 0.0]), (1, [0.0, 4.0]), (1, [4.0, 0.0])];
        assert!((fit(&photos) - 4.0 / 3.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn where_the_likelihood_has_no_greatest_value_the_temperature_makes_nothing_surer() {
        assert!((fit(&[(0, [1.0, 0.0])]) - 1.0).abs() < 1e-9);
        assert!((fit(&[(1, [1.0, 0.0])]) - HOTTEST).abs() < 1e-9);
    }

    #[test]
    fn photos_without_probabilities_play_no_role() {
        assert_eq!(fit(&[]), 1.0);
        let broken = [(0, [f32::NAN, 0.0]), (1, [f32::INFINITY, 0.0]), (1, [0.0, f32::NEG_INFINITY])];
        assert_eq!(fit(&broken), 1.0);
        let good = [(0, [4.0, 0.0]), (0, [4.0, 0.0]), (1, [4.0, 0.0])];
        assert_eq!(fit(&[&broken[..], &good].concat()), fit(&good));
    }
}
