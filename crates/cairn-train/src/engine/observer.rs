//! The events of a training, and who receives them.

use cairn_dataset::BadPhoto;
use cairn_nets::HeadFit;

use crate::run::history::EpochRecord;

/// Something that happened in a training.
#[derive(Debug)]
pub enum Event<'a> {
    /// The network has taken up the weights of another training.
    FirstWeights(HeadFit),
    /// A linear probe computes the photos' features, once.
    Features {
        /// Photos done, counted for every view.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// The training begins, or goes on.
    Started {
        /// Photos to learn from.
        train_photos: usize,
        /// Photos to validate on.
        valid_photos: usize,
        /// Parameters of the network.
        parameters: usize,
        /// The epoch that it goes on in, counted from 1.
        epoch: usize,
    },
    /// A batch has gone through.
    Batch {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        batch: usize,
        /// Batches in the epoch.
        batches: usize,
        /// Mean loss of the epoch so far.
        loss: f64,
        /// Accuracy of the epoch so far, in `[0, 1]`.
        accuracy: f64,
        /// Share of the training that is done, in `[0, 1]`: of the epochs or of the minutes, whichever is more.
        progress: f64,
    },
    /// A photo was left out.
    BadPhoto(&'a BadPhoto),
    /// The cache of decoded photos takes no more of them, and why; the training goes on.
    CacheTrouble(&'a str),
    /// An epoch is over and validated.
    Epoch {
        /// Its figures.
        record: &'a EpochRecord,
        /// The lowest validation loss before this epoch; infinite before the first.
        best_before: f64,
    },
}

/// Whoever watches a training: a progress bar, a log, a test.
pub trait Observer {
    /// Called as things happen, on the training's thread: be quick.
    fn on_event(&mut self, event: Event<'_>);
}

/// Ignores everything.
impl Observer for () {
    fn on_event(&mut self, _event: Event<'_>) {}
}
