//! Learning-rate schedules: pure functions of how far the training is.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// How the learning rate changes over a training.
///
/// Every schedule but one-cycle, which has its own, may begin with `warmup_epochs` in which the rate rises linearly to the
/// optimiser's (Goyal et al. 2017, <https://arxiv.org/abs/1706.02677>); fractions of epochs are allowed. After that it is
/// what it would have been at that epoch without a warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the optimiser's learning rate.
    Constant {
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times `gamma` after every epoch (PyTorch's `ExponentialLR`).
    Exponential {
        /// Factor, in `(0, 1]`.
        gamma: f64,
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times `gamma` after every `epochs` epochs (PyTorch's `StepLR`).
    Step {
        /// Epochs from one fall to the next.
        epochs: usize,
        /// Factor, in `(0, 1]`.
        #[serde(default = "tenth")]
        gamma: f64,
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times `gamma` after each of these epochs (PyTorch's `MultiStepLR`).
    MultiStep {
        /// Epochs that are over when the rate falls, in rising order.
        milestones: Vec<usize>,
        /// Factor, in `(0, 1]`.
        #[serde(default = "tenth")]
        gamma: f64,
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times `factor` whenever the validation loss has not fallen for more than `patience` epochs (PyTorch's
    /// `ReduceLROnPlateau` with its default relative threshold of 1e-4).
    Plateau {
        /// Factor, in `(0, 1)`.
        factor: f64,
        /// Epochs without improvement that are borne.
        patience: usize,
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Half a cosine down to `floor` times the learning rate (Loshchilov and Hutter 2017,
    /// <https://arxiv.org/abs/1608.03983>), ending with the last epoch or the last minute, whichever comes first.
    Cosine {
        /// Epochs of warm-up.
        #[serde(default)]
        warmup_epochs: f64,
        /// Share of the learning rate left at the end, in `[0, 1]`.
        #[serde(default)]
        floor: f64,
    },
    /// Up to the optimiser's learning rate and down to almost nothing, each along half a cosine, once over the whole
    /// training (Smith and Topin 2018, <https://arxiv.org/abs/1708.07120>; PyTorch's `OneCycleLR` with
    /// `cycle_momentum=False`). It ends as the cosine does.
    OneCycle {
        /// Share of the training in which the rate rises, in `(0, 1)`.
        #[serde(default = "three_tenths")]
        pct_start: f64,
        /// The first rate is the optimiser's divided by this, 1 or more.
        #[serde(default = "twenty_five")]
        div_factor: f64,
        /// The last rate is the first divided by this, 1 or more.
        #[serde(default = "ten_thousand")]
        final_div_factor: f64,
    },
}

fn tenth() -> f64 {
    0.1
}

fn three_tenths() -> f64 {
    0.3
}

fn twenty_five() -> f64 {
    25.0
}

fn ten_thousand() -> f64 {
    1e4
}

/// The point of a training at which the learning rate is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SchedulePoint<'a> {
    /// Epochs done, with the fraction of the one under way.
    pub epochs: f64,
    /// Share of the training that is done, in `[0, 1]`.
    pub progress: f64,
    /// Validation losses of the whole epochs.
    pub valid_losses: &'a [f64],
}

impl Schedule {
    /// What to multiply the optimiser's learning rate by.
    pub(crate) fn factor(&self, at: SchedulePoint<'_>) -> f64 {
        let warmup = self.warmup_epochs();
        if at.epochs < warmup {
            // The very first step moves too: it starts at a hundredth of the rate, not at nothing.
            return (at.epochs / warmup).max(0.01);
        }
        let progress = at.progress.clamp(0.0, 1.0);
        match *self {
            Self::Constant { .. } => 1.0,
            Self::Exponential { gamma, .. } => gamma.powf(at.epochs.floor()),
            Self::Step { epochs, gamma, .. } => gamma.powf((at.epochs / epochs as f64).floor()),
            Self::MultiStep { ref milestones, gamma, .. } => {
                let passed = milestones.iter().filter(|&&epoch| epoch as f64 <= at.epochs).count();
                gamma.powf(passed as f64)
            }
            Self::Plateau { factor, patience, .. } => factor.powi(plateaus(at.valid_losses, patience)),
            Self::Cosine { floor, .. } => half_cosine(1.0, floor, progress),
            Self::OneCycle { pct_start, div_factor, final_div_factor } => {
                let (first, last) = (1.0 / div_factor, 1.0 / div_factor / final_div_factor);
                if progress < pct_start {
                    half_cosine(first, 1.0, progress / pct_start)
                } else {
                    half_cosine(1.0, last, (progress - pct_start) / (1.0 - pct_start))
                }
            }
        }
    }

    /// Epochs in which the rate rises linearly.
    fn warmup_epochs(&self) -> f64 {
        match *self {
            Self::Constant { warmup_epochs }
            | Self::Exponential { warmup_epochs, .. }
            | Self::Step { warmup_epochs, .. }
            | Self::MultiStep { warmup_epochs, .. }
            | Self::Plateau { warmup_epochs, .. }
            | Self::Cosine { warmup_epochs, .. } => warmup_epochs,
            Self::OneCycle { .. } => 0.0,
        }
    }

    /// Checks the range of every figure.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let warmup = self.warmup_epochs();
        RecipeError::check([(
            warmup >= 0.0 && warmup.is_finite(),
            format!("schedule.warmup_epochs is {warmup}; it must be 0 or more"),
        )])?;
        match *self {
            Self::Constant { .. } => Ok(()),
            Self::Exponential { gamma, .. } => check_gamma(gamma),
            Self::Step { epochs, gamma, .. } => {
                check_gamma(gamma)?;
                RecipeError::check([(epochs > 0, "schedule.epochs is 0; it must be at least 1".to_owned())])
            }
            Self::MultiStep { ref milestones, gamma, .. } => {
                check_gamma(gamma)?;
                let fault = format!("schedule.milestones are {milestones:?}; they must rise");
                RecipeError::check([(milestones.is_sorted(), fault)])
            }
            Self::Plateau { factor, .. } => RecipeError::check([(
                factor > 0.0 && factor < 1.0,
                format!("schedule.factor is {factor}; it must be between 0 and 1"),
            )]),
            Self::Cosine { floor, .. } => RecipeError::check([(
                (0.0..=1.0).contains(&floor),
                format!("schedule.floor is {floor}; it must be between 0 and 1"),
            )]),
            Self::OneCycle { pct_start, div_factor, final_div_factor } => {
                let divides = |divisor: f64| divisor >= 1.0 && divisor.is_finite();
                let fault =
                    |key: &str, divisor: f64| format!("schedule.{key} is {divisor}; it must be 1 or more");
                RecipeError::check([
                    (
                        pct_start > 0.0 && pct_start < 1.0,
                        format!("schedule.pct_start is {pct_start}; it must be between 0 and 1"),
                    ),
                    (divides(div_factor), fault("div_factor", div_factor)),
                    (divides(final_div_factor), fault("final_div_factor", final_div_factor)),
                ])
            }
        }
    }
}

fn check_gamma(gamma: f64) -> Result<(), RecipeError> {
    let fault = format!("schedule.gamma is {gamma}; it must be above 0 and at most 1");
    RecipeError::check([(gamma > 0.0 && gamma <= 1.0, fault)])
}

/// From `start` to `end` along half a cosine, `done` of the way in `[0, 1]`.
fn half_cosine(start: f64, end: f64, done: f64) -> f64 {
    end + (start - end) * 0.5 * (1.0 + (PI * done).cos())
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

    fn at(epochs: f64, progress: f64) -> SchedulePoint<'static> {
        SchedulePoint { epochs, progress, valid_losses: &[] }
    }

    #[test]
    fn exponential_falls_once_an_epoch() {
        let schedule = Schedule::Exponential { gamma: 0.9, warmup_epochs: 0.0 };
        assert_eq!(schedule.factor(at(0.99, 0.0)), 1.0);
        assert!((schedule.factor(at(3.5, 0.0)) - 0.9_f64.powi(3)).abs() < 1e-12);
    }

    #[test]
    fn plateau_lowers_the_rate_when_pytorch_does() {
        // torch 2.11: ReduceLROnPlateau(factor=0.1, patience=1) fed these losses gives these rates after each epoch.
        let losses = [1.0, 0.9, 0.95, 0.93, 0.92, 0.89995, 0.8, 0.81, 0.82, 0.83, 0.84];
        let plateau = Schedule::Plateau { factor: 0.1, patience: 1, warmup_epochs: 0.0 };
        let rates = [1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.0001];
        for (seen, rate) in rates.iter().enumerate() {
            let valid_losses = &losses[..=seen];
            let point = SchedulePoint { epochs: 0.0, progress: 0.0, valid_losses };
            let found = plateau.factor(point);
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

    #[test]
    fn steps_fall_in_the_epochs_that_pytorchs_do() {
        // torch 2.11: StepLR(step_size=2, gamma=0.1) and MultiStepLR(milestones=[2, 5], gamma=0.5), epoch by epoch.
        let step = Schedule::Step { epochs: 2, gamma: 0.1, warmup_epochs: 0.0 };
        let steps = Schedule::MultiStep { milestones: vec![2, 5], gamma: 0.5, warmup_epochs: 0.0 };
        for (schedule, rates) in
            [(step, [1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.001]), (steps, [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25])]
        {
            for (epoch, rate) in rates.into_iter().enumerate() {
                for within in [0.0, 0.9] {
                    let found = schedule.factor(at(epoch as f64 + within, 0.0));
                    assert!((found - rate).abs() < 1e-12, "{schedule:?} in epoch {epoch}: {found}");
                }
            }
        }
    }

    #[test]
    fn one_cycle_goes_where_pytorchs_goes() {
        let schedule = Schedule::OneCycle { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 };
        // torch 2.11: OneCycleLR(max_lr=1, total_steps=200_001, cycle_momentum=False). Its rise ends one step before
        // 0.3 of them: hence the tolerance.
        for (progress, rate) in [
            (0.0, 0.04),
            (0.1, 0.280_005_078_715_383_16),
            (0.2, 0.760_010_157_323_293_9),
            (0.3, 0.999_999_999_938_315_8),
            (0.5, 0.811_741_267_905_255_2),
            (0.75, 0.283_058_471_023_092_95),
            (0.9, 0.049_518_881_175_624_835),
            (1.0, 4e-6),
        ] {
            let found = schedule.factor(at(0.0, progress));
            assert!((found - rate).abs() < 2e-5, "at {progress}: {found}, expected {rate}");
        }
    }

    #[test]
    fn every_schedule_may_warm_up_and_goes_on_as_if_it_had_not() {
        let schedule = Schedule::Exponential { gamma: 0.5, warmup_epochs: 2.0 };
        let factors = [0.5, 1.0, 2.0, 3.0].map(|epochs| schedule.factor(at(epochs, 0.0)));
        assert_eq!(factors, [0.25, 0.5, 0.25, 0.125]);
    }
}
