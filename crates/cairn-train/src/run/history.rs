//! The figures of each epoch.

use serde::{Deserialize, Serialize};

use cairn_eval::Curves;

use crate::run::json_number::or_nan;

/// The figures of one epoch: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// At the epoch's last step.
    #[serde(deserialize_with = "or_nan")]
    pub learning_rate: f64,
    /// Mean loss over the epoch's training photos, augmented and with label smoothing, in nats.
    #[serde(deserialize_with = "or_nan")]
    pub train_loss: f64,
    /// Share of them named right, in `[0, 1]`.
    #[serde(deserialize_with = "or_nan")]
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation photos, in nats.
    #[serde(deserialize_with = "or_nan")]
    pub valid_loss: f64,
    /// Share of them named right, in `[0, 1]`.
    #[serde(deserialize_with = "or_nan")]
    pub valid_accuracy: f64,
    /// Macro F1 on them, in `[0, 1]`.
    #[serde(deserialize_with = "or_nan")]
    pub valid_macro_f1: f64,
    /// Whether this is the lowest validation loss so far.
    pub best: bool,
    /// Seconds of training, validation not counted.
    #[serde(deserialize_with = "or_nan")]
    pub train_seconds: f64,
    /// Training photos a second, loading included.
    #[serde(deserialize_with = "or_nan")]
    pub photos_per_second: f64,
    /// Share of the training time spent waiting for photos, in `[0, 1]`.
    #[serde(deserialize_with = "or_nan")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_are_no_numbers_survive_being_written() {
        let record = EpochRecord {
            epoch: 1,
            learning_rate: 0.1,
            train_loss: 2.0,
            train_accuracy: 0.5,
            valid_loss: f64::NAN,
            valid_accuracy: f64::NAN,
            valid_macro_f1: f64::NAN,
            best: false,
            train_seconds: 0.0,
            photos_per_second: f64::INFINITY,
            data_wait: f64::NAN,
            bad_photos: 3,
        };
        let written = serde_json::to_string(&record).unwrap();
        let read: EpochRecord = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        assert!(read.valid_loss.is_nan() && read.train_loss == 2.0, "{read:?}");
    }
}
