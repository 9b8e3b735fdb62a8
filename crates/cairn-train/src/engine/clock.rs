//! The run's clock: time used, over all its parts, and time left.

use std::time::{Duration, Instant};

use crate::recipe::Recipe;

/// How often a checkpoint is written within a long epoch.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(300);

/// The run's clock. It continues from the seconds of an interrupted run.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Seconds of the run before this process.
    before: f64,
    /// Seconds that the run may take.
    budget: Option<f64>,
    epochs: usize,
    /// Seconds of the last validation, reserved from the budget: each epoch ends with one.
    validation: f64,
    saved: Instant,
}

impl Clock {
    pub(crate) fn new(recipe: &Recipe, before: f64) -> Self {
        let now = Instant::now();
        let budget = recipe.training.minutes.map(|minutes| minutes * 60.0);
        Self { started: now, before, budget, epochs: recipe.training.epochs, validation: 0.0, saved: now }
    }

    /// Seconds that the run has taken.
    pub(crate) fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// Share of the training that is done, in `[0, 1]`: of the epochs or of the time, whichever is more.
    ///
    /// `epochs` counts whole epochs and the fraction of the current one.
    pub(crate) fn progress(&self, epochs: f64) -> f64 {
        let by_epochs = epochs / self.epochs as f64;
        let by_time = self.budget.map_or(0.0, |budget| (self.seconds() + self.validation) / budget);
        by_epochs.max(by_time).min(1.0)
    }

    /// Whether the budget is used up, except for a last validation.
    pub(crate) fn over(&self) -> bool {
        self.budget.is_some_and(|budget| self.seconds() + self.validation >= budget)
    }

    pub(crate) fn validation_took(&mut self, time: Duration) {
        self.validation = time.as_secs_f64();
    }

    /// Whether [`CHECKPOINT_EVERY`] has passed since this was last true.
    pub(crate) fn checkpoint_due(&mut self) -> bool {
        let due = self.saved.elapsed() >= CHECKPOINT_EVERY;
        if due {
            self.saved = Instant::now();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::state::TrainState;

    /// The clock of a run that has used so many of its sixty minutes.
    fn clock(used: f64) -> (Recipe, Clock) {
        let mut recipe = Recipe::find("quick").unwrap();
        recipe.training.epochs = 1_000_000;
        recipe.training.minutes = Some(60.0);
        let clock = Clock::new(&recipe, used * 60.0);
        (recipe, clock)
    }

    #[test]
    fn the_time_is_over_when_what_is_left_is_for_the_last_validation() {
        let (_, mut clock) = clock(50.0);
        assert!(!clock.over(), "{clock:?}");
        clock.validation_took(Duration::from_secs(601));
        assert!(clock.over(), "{clock:?}");
        assert_eq!(clock.progress(1.0), 1.0);
    }

    #[test]
    fn a_cosine_follows_the_time_where_that_ends_first() {
        let rate = |used| {
            let (recipe, clock) = clock(used);
            // After the warm-up.
            let state = TrainState { epoch: 2, ..TrainState::default() };
            let rate = state.scheduled_rate(&recipe, &clock, 0, 10);
            rate / recipe.optimiser.learning_rate()
        };
        assert!(rate(57.0) < 0.05, "{}", rate(57.0));
        assert!(rate(57.0) < rate(30.0), "{} {}", rate(57.0), rate(30.0));
    }
}
