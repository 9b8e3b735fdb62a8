//! Softmax: from numbers without limits, one a class, to probabilities.

/// The softmax of some logits, in f64.
///
/// The greatest logit is taken out first, so that no exponential overflows. Where a logit is infinite or no number, or all
/// are minus infinity, there is no softmax, and what this gives is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    greatest: f64,
    /// Of the exponentials of the logits less the greatest.
    sum: f64,
}

impl Softmax {
    /// Of these logits, already divided by a temperature if there is one.
    pub fn of(logits: impl Iterator<Item = f64> + Clone) -> Softmax {
        let greatest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
        Softmax { greatest, sum: logits.map(|logit| (logit - greatest).exp()).sum() }
    }

    /// The probability of a class of this logit, in `[0, 1]`.
    pub fn probability(&self, logit: f64) -> f64 {
        (logit - self.greatest).exp() / self.sum
    }

    /// The greatest probability.
    pub fn greatest_probability(&self) -> f64 {
        self.sum.recip()
    }

    /// The logarithm of the sum of the logits' exponentials.
    pub fn log_sum(&self) -> f64 {
        self.greatest + self.sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(logits: &[f64]) -> Softmax {
        Softmax::of(logits.iter().copied())
    }

    #[test]
    fn probabilities_are_shares_of_the_exponentials_and_survive_large_logits() {
        // Of 1000, 1001 and 998.5: e^-1, 1 and e^-2.5, shares of their sum.
        let softmax = of(&[1000.0, 1001.0, 998.5]);
        let sum = (-1.0_f64).exp() + 1.0 + (-2.5_f64).exp();
        for (logit, weight) in [(1000.0, (-1.0_f64).exp()), (1001.0, 1.0), (998.5, (-2.5_f64).exp())] {
            assert!((softmax.probability(logit) - weight / sum).abs() < 1e-12, "{logit}");
        }
        assert!((softmax.greatest_probability() - 1.0 / sum).abs() < 1e-12);
        assert!((softmax.log_sum() - (1001.0 + sum.ln())).abs() < 1e-9);
    }

    #[test]
    fn a_class_that_is_ruled_out_has_no_probability() {
        let softmax = of(&[0.0, f64::NEG_INFINITY, 0.0]);
        assert_eq!(softmax.probability(f64::NEG_INFINITY), 0.0);
        assert_eq!(softmax.probability(0.0), 0.5);
    }

    #[test]
    fn logits_that_are_not_numbers_have_no_softmax() {
        for logits in [[f64::NAN, 1.0], [f64::INFINITY, 1.0], [f64::NEG_INFINITY; 2]] {
            assert!(!of(&logits).log_sum().is_finite(), "{logits:?}");
            assert!(!of(&logits).probability(logits[0]).is_finite(), "{logits:?}");
        }
    }
}
