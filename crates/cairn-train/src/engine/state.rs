//! How far a training is: what a checkpoint stores beside the weights and the optimizer.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::engine::centres::CentreVotes;
use crate::engine::clock::Clock;
use crate::engine::step::StepOutcome;
use crate::recipe::{Recipe, SchedulePoint};
use crate::run::history::{EpochRecord, History};
use crate::run::json_number::or_nan;

/// How far a training is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainState {
    /// Whole epochs done.
    pub epoch: usize,
    /// Batches done of the current epoch.
    pub batch: usize,
    /// Sums over those batches.
    #[serde(rename = "so_far")]
    pub sums: EpochSums,
    /// Figures of the whole epochs.
    pub history: History,
    /// Which of its class's centres training photos were nearest to.
    #[serde(default, skip_serializing_if = "CentreVotes::is_empty")]
    pub centre_votes: CentreVotes,
    /// The learning rate of the last step.
    #[serde(deserialize_with = "or_nan")]
    pub learning_rate: f64,
    /// Steps in the moving average of the weights.
    #[serde(default, rename = "averaged_steps")]
    pub ema_steps: u64,
    /// Seconds that the run has taken so far.
    #[serde(deserialize_with = "or_nan")]
    pub seconds: f64,
    /// The data set's fingerprint.
    pub fingerprint: String,
}

impl TrainState {
    /// The learning rate of a batch of the current epoch, counted from 0, of `batches`.
    pub(crate) fn scheduled_rate(&self, recipe: &Recipe, clock: &Clock, batch: usize, batches: usize) -> f64 {
        let epochs = self.epoch as f64 + batch as f64 / batches as f64;
        let valid_losses = &self.history.valid_losses();
        let at = SchedulePoint { epochs, progress: clock.progress(epochs), valid_losses };
        recipe.optimiser.learning_rate() * recipe.schedule.factor(at)
    }

    /// Moves to the beginning of the next epoch.
    pub(crate) fn end_epoch(&mut self, record: EpochRecord, clock: &Clock) {
        self.history.push(record);
        self.epoch += 1;
        self.batch = 0;
        self.sums = EpochSums::default();
        self.centre_votes.age();
        self.seconds = clock.seconds();
    }
}

/// Sums over the batches of an epoch, or over the parts of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpochSums {
    /// Sum of the photos' losses.
    #[serde(deserialize_with = "or_nan")]
    pub loss: f64,
    pub correct: usize,
    pub photos: usize,
    pub bad_photos: usize,
    /// Seconds of training.
    #[serde(deserialize_with = "or_nan")]
    pub seconds: f64,
    /// Seconds of them spent waiting for photos.
    #[serde(deserialize_with = "or_nan")]
    pub waited: f64,
}

impl EpochSums {
    /// Mean loss of a photo.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.photos as f64
    }

    pub(crate) fn add(&mut self, step: &StepOutcome) {
        self.loss += step.loss * step.photos as f64;
        self.correct += step.correct;
        self.photos += step.photos;
    }

    /// Share of photos that were classified correctly, in `[0, 1]`.
    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.photos as f64
    }
}

/// Times an epoch since it began or was resumed, on top of what it took before.
#[derive(Debug)]
pub(crate) struct Lap {
    started: Instant,
    seconds_before: f64,
    waited_before: f64,
}

impl Lap {
    pub(crate) fn start(sums: &EpochSums) -> Self {
        Self { started: Instant::now(), seconds_before: sums.seconds, waited_before: sums.waited }
    }

    /// Updates the epoch's times; `waited` is the time that this part has waited for photos.
    pub(crate) fn note(&self, sums: &mut EpochSums, waited: Duration) {
        sums.seconds = self.seconds_before + self.started.elapsed().as_secs_f64();
        sums.waited = self.waited_before + waited.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_with_figures_that_are_not_finite_can_be_written_and_read() {
        let sums = EpochSums { loss: f64::NAN, photos: 3, seconds: 1.5, ..EpochSums::default() };
        let state = TrainState { sums, learning_rate: f64::INFINITY, ..TrainState::default() };
        let written = serde_json::to_string(&state).unwrap();
        let read: TrainState = serde_json::from_str(&written).unwrap();
        assert!(read.sums.loss.is_nan() && read.learning_rate.is_nan(), "{read:?}");
        assert_eq!((read.sums.photos, read.sums.seconds), (3, 1.5));
    }
}
