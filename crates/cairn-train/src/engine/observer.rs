//! The events of a training, and who receives them.

use cairn_dataset::BadPhoto;
use cairn_nets::HeadFit;

use crate::run::history::EpochRecord;

/// An event of a training.
#[derive(Debug)]
pub enum Event<'a> {
    /// The network was loaded with first weights.
    FirstWeights(HeadFit),
    /// A linear probe computes the features of the photos, once.
    Features {
        /// Photos done; each view counts.
        done: usize,
        /// Photos in total; each view counts.
        total: usize,
    },
    /// The training begins or continues.
    Started {
        /// Photos to learn from.
        train_photos: usize,
        /// Photos to validate on.
        valid_photos: usize,
        /// Parameters of the network.
        parameters: usize,
        /// The first epoch of this process, counted from 1.
        epoch: usize,
    },
    /// A step's batch is done.
    Batch {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        batch: usize,
        /// Batches in the epoch.
        batches: usize,
        /// Mean loss of the epoch so far, in nats.
        loss: f64,
        /// Accuracy of the epoch so far, in `[0, 1]`.
        accuracy: f64,
        /// Share of the training that is done, in `[0, 1]`: of the epochs or of the minutes, whichever is more.
        progress: f64,
    },
    /// A photo was left out.
    BadPhoto(&'a BadPhoto),
    /// The cache of decoded photos accepts no more photos, with the reason. The training continues.
    CacheTrouble(&'a str),
    /// An epoch has ended and is validated.
    Epoch {
        /// Its figures.
        record: &'a EpochRecord,
        /// The lowest validation loss before this epoch; infinite before the first.
        best_before: f64,
    },
}

/// Receives the events of a training: a progress bar, a log, a test.
pub trait Observer {
    /// Receives one event. It runs on the thread of the training and must be quick.
    fn on_event(&mut self, event: Event<'_>);
}

/// Ignores all events.
impl Observer for () {
    fn on_event(&mut self, _event: Event<'_>) {}
}
