//! Batches of photos for a network, epoch after epoch.

use std::sync::Arc;

use cairn_photo::TestViews;

use crate::epoch::{Epoch, PhotoWork};
use crate::filling::BatchPlans;
use crate::pixels::SparePixels;
use crate::sampling::order;
use crate::{BatchMixing, Example, InputSize, LoaderError, PhotoCache, ProgressiveResize, Sampling, View};

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
    /// Batches of 32 in the order of the examples, two ahead, one worker for each thread of the current rayon pool.
    fn default() -> LoaderOptions {
        LoaderOptions {
            batch_size: 32,
            workers: rayon::current_num_threads(),
            prefetch: 2,
            seed: 0,
            shuffle: false,
            drop_last: false,
        }
    }
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
    sampling: Sampling,
    mixing: Option<BatchMixing>,
    weights: Option<Arc<[f32]>>,
    views: TestViews,
    growth: Option<ProgressiveResize>,
    memory: Arc<SparePixels>,
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
        Ok(Loader {
            examples: examples.into(),
            view: Arc::new(view),
            cache: Arc::new(PhotoCache::off()),
            sampling: Sampling::EachOnce,
            mixing: None,
            weights: None,
            views: TestViews::One,
            growth: None,
            memory: Arc::default(),
            size,
            options,
        })
    }

    /// The same loader, with decoded photos kept in `cache`. Its batches do not change.
    pub fn cached(self, cache: Arc<PhotoCache>) -> Loader {
        Loader { cache, ..self }
    }

    /// The same loader, with its batches in memory that this one's batches left: for loaders that take turns.
    pub fn in_memory_of(self, other: &Loader) -> Loader {
        Loader { memory: Arc::clone(&other.memory), ..self }
    }

    /// The same loader, showing these photos in each epoch. Without `shuffle` there is nothing to choose: each comes once.
    pub fn sampled(self, sampling: Sampling) -> Loader {
        Loader { sampling, ..self }
    }

    /// The same loader, mixing the photos of each batch with each other. What [`Batch::mixed_labels`](crate::Batch::mixed_labels)
    /// says must enter the loss.
    ///
    /// # Errors
    /// Where the mixing's parameters are out of their range, or the view is one for tests.
    pub fn mixed(self, mixing: BatchMixing) -> Result<Loader, LoaderError> {
        mixing.validate()?;
        match *self.view {
            View::Train { .. } => Ok(Loader { mixing: Some(mixing), ..self }),
            View::Test(_) => Err(LoaderError::OnlyInTraining("mixing photos")),
        }
    }

    /// The same loader, whose photos count as much as these weights say, one for each example:
    /// [`Batch::weights`](crate::Batch::weights).
    ///
    /// # Panics
    /// If there is not one weight for each example.
    pub fn weighted(self, weights: impl Into<Arc<[f32]>>) -> Loader {
        let weights = weights.into();
        assert_eq!(weights.len(), self.examples.len(), "one weight for each example");
        Loader { weights: Some(weights), ..self }
    }

    /// The same loader, showing several views of each photo, one after the other in
    /// [`Batch::pixels`](crate::Batch::pixels): the mean of what a network says of them is steadier than what it says
    /// of one.
    ///
    /// # Errors
    /// Where the view is one for training.
    pub fn viewed_as(self, views: TestViews) -> Result<Loader, LoaderError> {
        match *self.view {
            View::Test(_) => Ok(Loader { views, ..self }),
            View::Train { .. } => Err(LoaderError::OnlyInTests("several views of a photo")),
        }
    }

    /// The same loader, showing smaller photos in the first epochs.
    ///
    /// # Errors
    /// Where the growth's figures are out of their range, or the view is one for tests.
    pub fn growing(self, growth: ProgressiveResize) -> Result<Loader, LoaderError> {
        growth.validate(self.size)?;
        match *self.view {
            View::Train { .. } => Ok(Loader { growth: Some(growth), ..self }),
            View::Test(_) => Err(LoaderError::OnlyInTraining("growing photos")),
        }
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
        let (view, size) = self.shown_in(epoch);
        let shuffled = || order(self.sampling, self.options.seed, epoch, &self.examples);
        let batches = BatchPlans {
            order: self.options.shuffle.then(shuffled),
            examples: self.examples.len(),
            batch_size: self.options.batch_size,
            batches: first_batch..self.batches_per_epoch(),
            weights: self.weights.clone(),
            mixing: self.mixing,
            size,
            seed: self.options.seed,
            epoch,
        };
        let work = PhotoWork {
            examples: Arc::clone(&self.examples),
            view,
            // What is kept of a photo must not depend on the epoch.
            read_size: self.view.read_size(),
            views: self.views,
            cache: Arc::clone(&self.cache),
            size,
            seed: self.options.seed,
            epoch,
        };
        Epoch::start(work, batches, Arc::clone(&self.memory), self.options.workers, self.options.prefetch)
    }

    /// How photos are shown in this epoch, and how large.
    fn shown_in(&self, epoch: usize) -> (Arc<View>, InputSize) {
        let (Some(growth), View::Train { augment, normalisation }) = (self.growth, &*self.view) else {
            return (Arc::clone(&self.view), self.size);
        };
        let side = growth.side_in(epoch, self.size);
        let augment = augment.scaled(side as f64 / self.size.width as f64);
        let view = View::Train { augment, normalisation: normalisation.clone() };
        (Arc::new(view), InputSize { width: side, height: side })
    }
}
