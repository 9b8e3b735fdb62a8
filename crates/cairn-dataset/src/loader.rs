//! Batches of photos for a network, epoch after epoch.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use cairn_photo::AugmentationError;
use thiserror::Error;

use crate::batch::BatchPlan;
use crate::chance::epoch_order;
use crate::epoch::{Epoch, PhotoWork};
use crate::{Example, InputSize, PhotoCache, View};

/// How a [`Loader`] makes its batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Photos in a batch, at least 1.
    pub batch_size: usize,
    /// Threads that read and prepare photos, at least 1. The batches are the same for any number.
    pub workers: usize,
    /// Batches made ahead of the one that is asked for. Memory holds `prefetch + 1` batches and, for each worker,
    /// the photo that it works on.
    pub prefetch: usize,
    /// Another seed gives another order and other augmentations.
    pub seed: u64,
    /// Whether each epoch has an order of its own, rather than that of the examples.
    pub shuffle: bool,
    /// Whether the last batch of an epoch is left out where it would be shorter than the others.
    pub drop_last: bool,
}

impl Default for LoaderOptions {
    /// Batches of 32 in the order of the examples, two ahead, one worker for each processor core.
    fn default() -> LoaderOptions {
        LoaderOptions {
            batch_size: 32,
            workers: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            prefetch: 2,
            seed: 0,
            shuffle: false,
            drop_last: false,
        }
    }
}

/// Why a [`Loader`] cannot make batches.
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
    /// The augmentation asks for what cannot be done.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
}

/// Makes batches from labelled photos: worker threads read, augment and normalise them ahead of time.
///
/// Which photos are in a batch, and how they are augmented, depends on the examples, the view, the seed and the
/// epoch alone: batches are equal bit for bit on any number of workers, and any epoch can be replayed from any batch.
#[derive(Clone, Debug)]
pub struct Loader {
    examples: Arc<[Example]>,
    view: Arc<View>,
    cache: Arc<PhotoCache>,
    size: InputSize,
    options: LoaderOptions,
}

impl Loader {
    /// A loader of these examples, shown through this view.
    ///
    /// # Errors
    /// Where the options or the view cannot make a batch.
    pub fn new(
        examples: impl Into<Arc<[Example]>>,
        view: View,
        options: LoaderOptions,
    ) -> Result<Loader, LoaderError> {
        if options.batch_size == 0 {
            return Err(LoaderError::BatchSize);
        }
        if options.workers == 0 {
            return Err(LoaderError::Workers);
        }
        let size = view.size()?;
        let cache = Arc::new(PhotoCache::off());
        Ok(Loader { examples: examples.into(), view: Arc::new(view), cache, size, options })
    }

    /// The same loader, with decoded photos kept in `cache`. Its batches do not change.
    pub fn cached(self, cache: Arc<PhotoCache>) -> Loader {
        Loader { cache, ..self }
    }

    /// The examples, in the order that [`Batch::examples`](crate::Batch::examples) counts them.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// How the photos are shown.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How many batches an epoch has, the bad photos not known yet.
    pub fn batches_per_epoch(&self) -> usize {
        if self.options.drop_last {
            self.examples.len() / self.options.batch_size
        } else {
            self.examples.len().div_ceil(self.options.batch_size)
        }
    }

    /// The batches of an epoch, from `first_batch` on. Starting later costs nothing, and gives exactly the batches
    /// that the whole epoch has from there.
    ///
    /// # Panics
    /// If the operating system refuses to start a thread.
    pub fn epoch(&self, epoch: usize, first_batch: usize) -> Epoch {
        let len = self.examples.len();
        let order = if self.options.shuffle {
            epoch_order(self.options.seed, epoch, len)
        } else {
            (0..len).collect()
        };
        let batches = order
            .chunks(self.options.batch_size)
            .take(self.batches_per_epoch())
            .enumerate()
            .skip(first_batch)
            .map(|(number, examples)| BatchPlan { number, examples: examples.to_vec() })
            .collect();
        let work = PhotoWork {
            examples: Arc::clone(&self.examples),
            view: Arc::clone(&self.view),
            cache: Arc::clone(&self.cache),
            size: self.size,
            seed: self.options.seed,
            epoch,
        };
        Epoch::start(work, batches, self.options.workers, self.options.prefetch)
    }
}
