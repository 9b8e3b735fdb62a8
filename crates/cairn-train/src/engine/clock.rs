//! The run's time: how much has passed, over all its parts, and how much is left.

use std::time::{Duration, Instant};

use crate::recipe::Recipe;

/// How often a long epoch is saved on the way.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(300);

/// The run's clock. It goes on from where an interrupted run left it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Seconds of the run's earlier parts.
    before: f64,
    /// Seconds that the run may take.
    budget: Option<f64>,
    epochs: usize,
    /// Seconds of the last validation pass: kept back from the budget, since each epoch ends with one.
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
    /// `epochs` are whole epochs with the fraction of the one under way.
    pub(crate) fn progress(&self, epochs: f64) -> f64 {
        let by_epochs = epochs / self.epochs as f64;
        let by_time = self.budget.map_or(0.0, |budget| (self.seconds() + self.validation) / budget);
        by_epochs.max(by_time).min(1.0)
    }

    /// Whether the time is over, but for a last validation pass.
    pub(crate) fn over(&self) -> bool {
        self.budget.is_some_and(|budget| self.seconds() + self.validation >= budget)
    }

    pub(crate) fn validation_took(&mut self, time: Duration) {
        self.validation = time.as_secs_f64();
    }

    /// True once in every [`CHECKPOINT_EVERY`].
    pub(crate) fn checkpoint_due(&mut self) -> bool {
        let due = self.saved.elapsed() >= CHECKPOINT_EVERY;
        if due {
            self.saved = Instant::now();
        }
        due
    }
}
