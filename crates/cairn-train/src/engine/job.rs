//! The job of the training engine: what to train, how it is stopped, and its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use cairn_dataset::{CacheMode, ImageFolder};
use cairn_nets::StateDict;

use crate::recipe::Recipe;
use crate::run::history::History;
use crate::run::record::StopReason;
use crate::run::run_folder::RunFolder;

/// A training: recipe, data, devices and run folder.
#[derive(Debug)]
pub struct Training<'a> {
    /// The recipe, resolved by [`Recipe::resolved`].
    pub recipe: &'a Recipe,
    /// The data set.
    pub data: &'a ImageFolder,
    /// The folder of the results. A run with a checkpoint continues from it.
    pub run: &'a RunFolder,
    /// First weights in place of those that the recipe names. A run with a checkpoint needs neither.
    pub weights: Option<&'a StateDict>,
    /// Where decoded photos are cached between epochs. It changes the speed only.
    pub cache: CacheMode,
    /// One device, or several of one kind that share every batch. The first one also validates.
    pub devices: &'a [Device],
    /// Requests a stop after the current batch.
    pub interrupt: &'a Interrupt,
}

/// The result of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The figures of every epoch.
    pub history: History,
    /// Why it stopped.
    pub stopped: StopReason,
}

/// A request to stop after the current batch. Clones share one request.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Requests the stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was requested.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
