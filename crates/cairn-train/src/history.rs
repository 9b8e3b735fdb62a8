//! What each epoch came to.

use serde::{Deserialize, Serialize};

use cairn_eval::Curves;

/// The figures of one epoch: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// At the epoch's last step.
    pub learning_rate: f64,
    /// Mean loss over the epoch's training photos, augmented and with label smoothing, in nats.
    pub train_loss: f64,
    /// Share of them named right, in `[0, 1]`.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation photos, in nats.
    pub valid_loss: f64,
    /// Share of them named right, in `[0, 1]`.
    pub valid_accuracy: f64,
    /// Macro F1 on them, in `[0, 1]`.
    pub valid_macro_f1: f64,
    /// Whether this is the lowest validation loss so far.
    pub best: bool,
    /// Seconds of training, validation not counted.
    pub train_seconds: f64,
    /// Training photos a second, loading included.
    pub photos_per_second: f64,
    /// Share of the training time spent waiting for photos, in `[0, 1]`.
    pub data_wait: f64,
    /// Photos left out because they could not be read, validation included.
    pub bad_photos: usize,
}

/// The epochs of a run so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<EpochRecord>);

impl From<Vec<EpochRecord>> for History {
    fn from(epochs: Vec<EpochRecord>) -> Self {
        Self(epochs)
    }
}

impl History {
    /// The epochs, the first one first.
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.0
    }

    /// The epoch with the lowest validation loss; the earliest of equals.
    pub fn best(&self) -> Option<&EpochRecord> {
        self.0.iter().rev().find(|record| record.best)
    }

    /// The lowest validation loss so far; infinite before the first epoch.
    pub fn lowest_loss(&self) -> f64 {
        self.best().map_or(f64::INFINITY, |record| record.valid_loss)
    }

    /// How many epochs have passed since the best one.
    pub fn epochs_since_best(&self) -> usize {
        self.0.iter().rev().take_while(|record| !record.best).count()
    }

    /// The validation losses, epoch by epoch.
    pub fn valid_losses(&self) -> Vec<f64> {
        self.0.iter().map(|record| record.valid_loss).collect()
    }

    /// Seconds of training altogether, validation not counted.
    pub fn train_seconds(&self) -> f64 {
        self.0.iter().map(|record| record.train_seconds).sum()
    }

    /// The loss and accuracy curves.
    pub fn curves(&self) -> Curves {
        let column = |of: fn(&EpochRecord) -> f64| self.0.iter().map(of).collect();
        Curves {
            train_loss: column(|r| r.train_loss),
            valid_loss: column(|r| r.valid_loss),
            train_accuracy: column(|r| r.train_accuracy),
            valid_accuracy: column(|r| r.valid_accuracy),
            best_epoch: self.best().map(|record| record.epoch),
        }
    }

    /// Adds the next epoch.
    pub fn push(&mut self, record: EpochRecord) {
        self.0.push(record);
    }
}
