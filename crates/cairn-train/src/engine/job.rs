//! What to train, and the result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use cairn_dataset::{CacheMode, ImageFolder};
use cairn_nets::StateDict;

use crate::recipe::Recipe;
use crate::run::history::History;
use crate::run::record::StopReason;
use crate::run::run_folder::RunFolder;

/// What to train, on what, and where to.
#[derive(Debug)]
pub struct Training<'a> {
    /// How; resolved by [`Recipe::resolved`].
    pub recipe: &'a Recipe,
    /// The photos.
    pub data: &'a ImageFolder,
    /// Where everything is written. A run that has a checkpoint goes on from it.
    pub run: &'a RunFolder,
    /// What the network begins with in place of what the recipe names. A run that has a checkpoint needs neither.
    pub weights: Option<&'a StateDict>,
    /// Where decoded photos are kept from epoch to epoch. It changes nothing but the time.
    pub cache: CacheMode,
    /// What computes: one device, or several of one kind that share every batch. The first one validates, too.
    pub devices: &'a [Device],
    /// Asks for a stop after the batch at hand.
    pub interrupt: &'a Interrupt,
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The figures of every epoch.
    pub history: History,
    /// Why it ended.
    pub stopped: StopReason,
}

/// A request to stop after the batch at hand. Clones share one request.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks for the stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
