//! What is wrong with the settings of a loader.

use cairn_photo::AugmentationError;
use thiserror::Error;

/// Why a [`Loader`](crate::Loader) cannot make batches.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// A batch of no photos.
    #[error("batch size 0: a batch needs at least one photo")]
    BatchSize,
    /// Nobody to do the work.
    #[error("0 loader workers: at least one is needed to read photos")]
    Workers,
    /// The photos of a batch must be of one size.
    #[error(
        "the augmentation leaves photos of different sizes; end it with a crop or a resize to a fixed size"
    )]
    SizeVaries,
    /// A mixing's parameter is not one of a beta distribution.
    #[error("mixing with alpha {alpha}: it must be above 0")]
    Mixing {
        /// What was asked for.
        alpha: f64,
    },
    /// A growth of photos that does not end at the network's input.
    #[error("photos growing from {from} px over {epochs} epochs to {width} x {height}: {problem}")]
    Growth {
        /// Where it begins.
        from: usize,
        /// When it ends.
        epochs: usize,
        /// Columns of the input.
        width: usize,
        /// Rows of the input.
        height: usize,
        /// What is wrong with that.
        problem: &'static str,
    },
    /// What changes by chance, or with the epoch, would make a test no test.
    #[error("{0} is for training only")]
    OnlyInTraining(&'static str),
    /// In training each photo has one view.
    #[error("{0} are for tests; in training each photo is used once an epoch")]
    OnlyInTests(&'static str),
    /// The augmentation asks for what cannot be done.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
}
