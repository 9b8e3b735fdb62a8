//! Learning-rate schedules: pure functions of where the training stands.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How the learning rate changes over a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the optimiser's learning rate.
    Constant {},
    /// Times `gamma` after every epoch (PyTorch's `ExponentialLR`).
    Exponential {
        /// Factor, in `(0, 1]`.
        gamma: f64,
    },
    /// Times `factor` whenever the validation loss has not fallen for more than `patience` epochs (PyTorch's
    /// `ReduceLROnPlateau` with its default relative threshold of 1e-4).
    Plateau {
        /// Factor, in `(0, 1)`.
        factor: f64,
        /// Epochs without improvement that are borne.
        patience: usize,
    },
    /// Linear warm-up, then half a cosine down to `floor` times the learning rate (Loshchilov and Hutter 2017,
    /// <https://arxiv.org/abs/1608.03983>), ending with the last epoch or the last minute, whichever comes first.
    Cosine {
        /// Epochs of warm-up; fractions are allowed.
        warmup_epochs: f64,
        /// Share of the learning rate left at the end, in `[0, 1]`.
        #[serde(default)]
        floor: f64,
    },
}

/// Where a training stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// Epochs done, with the fraction of the one under way.
    pub epochs: f64,
    /// Share of the training that is done, in `[0, 1]`.
    pub progress: f64,
    /// Validation losses of the whole epochs.
    pub valid_losses: &'a [f64],
}

impl Schedule {
    /// What to multiply the optimiser's learning rate by.
    pub(crate) fn factor(&self, at: Standing<'_>) -> f64 {
        match *self {
            Self::Constant {} => 1.0,
            Self::Exponential { gamma } => gamma.powf(at.epochs.floor()),
            Self::Plateau { factor, patience } => factor.powi(plateaus(at.valid_losses, patience)),
            Self::Cosine { warmup_epochs, .. } if at.epochs < warmup_epochs => {
                // The very first step moves too: it starts at a hundredth of the rate, not at nothing.
                (at.epochs / warmup_epochs).max(0.01)
            }
            Self::Cosine { floor, .. } => {
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * at.progress.clamp(0.0, 1.0)).cos())
            }
        }
    }

    /// What is wrong with the figures, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        match *self {
            Self::Exponential { gamma } if !(gamma > 0.0 && gamma <= 1.0) => {
                Some(format!("schedule.gamma is {gamma}; it must lie above 0 and at most at 1"))
            }
            Self::Plateau { factor, .. } if !(factor > 0.0 && factor < 1.0) => {
                Some(format!("schedule.factor is {factor}; it must lie between 0 and 1"))
            }
            Self::Cosine { warmup_epochs, .. } if !(warmup_epochs >= 0.0 && warmup_epochs.is_finite()) => {
                Some(format!("schedule.warmup_epochs is {warmup_epochs}; it must be 0 or more"))
            }
            Self::Cosine { floor, .. } if !(0.0..=1.0).contains(&floor) => {
                Some(format!("schedule.floor is {floor}; it must lie between 0 and 1"))
            }
            _ => None,
        }
    }
}

/// How often `ReduceLROnPlateau` would have lowered the rate over these losses.
fn plateaus(losses: &[f64], patience: usize) -> i32 {
    let (mut best, mut bad_epochs, mut lowered) = (f64::INFINITY, 0, 0);
    for &loss in losses {
        if loss < best * (1.0 - 1e-4) {
            best = loss;
            bad_epochs = 0;
        } else {
            bad_epochs += 1;
        }
        if bad_epochs > patience {
            lowered += 1;
            bad_epochs = 0;
        }
    }
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epochs: f64, progress: f64) -> Standing<'static> {
        Standing { epochs, progress, valid_losses: &[] }
    }

    #[test]
    fn exponential_falls_once_an_epoch() {
        let schedule = Schedule::Exponential { gamma: 0.9 };
        assert_eq!(schedule.factor(at(0.99, 0.0)), 1.0);
        assert!((schedule.factor(at(3.5, 0.0)) - 0.9_f64.powi(3)).abs() < 1e-12);
    }

    #[test]
    fn plateau_lowers_the_rate_when_pytorch_does() {
        // torch 2.11: ReduceLROnPlateau(factor=0.1, patience=1) fed these losses gives these rates after each epoch.
        let losses = [1.0, 0.9, 0.95, 0.93, 0.92, 0.89995, 0.8, 0.81, 0.82, 0.83, 0.84];
        let rates = [1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.0001];
        for (seen, rate) in rates.iter().enumerate() {
            let valid_losses = &losses[..=seen];
            let standing = Standing { epochs: 0.0, progress: 0.0, valid_losses };
            let found = Schedule::Plateau { factor: 0.1, patience: 1 }.factor(standing);
            assert!((found - rate).abs() < 1e-12, "after {valid_losses:?}: {found}, expected {rate}");
        }
    }

    #[test]
    fn cosine_warms_up_then_falls_to_its_floor() {
        let schedule = Schedule::Cosine { warmup_epochs: 2.0, floor: 0.1 };
        assert!((schedule.factor(at(1.0, 0.1)) - 0.5).abs() < 1e-12);
        assert!(schedule.factor(at(0.0, 0.0)) > 0.0, "the first step must move");
        assert!((schedule.factor(at(5.0, 0.5)) - 0.55).abs() < 1e-12);
        assert!((schedule.factor(at(10.0, 1.0)) - 0.1).abs() < 1e-12);
        assert!((schedule.factor(at(11.0, 1.2)) - 0.1).abs() < 1e-12, "never below the floor again");
    }
}
