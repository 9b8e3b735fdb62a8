//! Where the batches of a training come from.

use std::time::Duration;

use cairn_dataset::BadPhoto;
use cairn_eval::Scores;
use cairn_nets::Network;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::learner::Learner;
use crate::engine::observer::Observer;
use crate::engine::state::TrainState;
use crate::engine::step::StepOutcome;

/// The source of a training's batches: photos, or features of photos. It also validates on the data that it holds.
pub(crate) trait BatchSource {
    /// What one step learns from.
    type Batch;

    /// Does what comes before the first epoch of this process; `false` if a stop was requested meanwhile.
    fn prepare(
        &mut self,
        _learner: &Learner,
        _state: &mut TrainState,
        _observer: &mut dyn Observer,
    ) -> Result<bool, TrainError> {
        Ok(true)
    }

    /// Batches in an epoch.
    fn batches_per_epoch(&self) -> usize;

    /// The batches of an epoch from `first` on, both counted from 0.
    fn epoch(&self, epoch: usize, first: usize) -> impl Iterator<Item = SourceBatch<Self::Batch>>;

    /// Computes the gradients of a batch, and adds them to `gradients`. `at` is the epoch, counted from 0, and the number of
    /// the batch, counted from 1. Dropout depends on them alone, so that a resumed run drops the same values.
    fn step(
        &self,
        network: &Network,
        batch: Self::Batch,
        at: (usize, usize),
        gradients: &mut GradientAccumulator,
    ) -> StepOutcome;

    /// The scores of the validation photos; `None` if a stop was requested. `on_bad` is called with each photo that
    /// cannot be read.
    fn validate(&self, network: &Network, on_bad: impl FnMut(&BadPhoto)) -> Option<Scores>;
}

/// A batch of a source.
#[derive(Debug)]
pub(crate) struct SourceBatch<B> {
    /// Photos of the batch that cannot be read.
    pub bad: Vec<BadPhoto>,
    /// The others; `None` if there are none.
    pub batch: Option<B>,
    /// How long this part of the epoch has waited for photos, from its beginning.
    pub waited: Duration,
}
