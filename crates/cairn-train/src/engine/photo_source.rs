//! Batches of photos, with or without teachers.

use std::iter;
use std::mem;

use cairn_dataset::{BadPhoto, Batch};
use cairn_eval::Scores;
use cairn_nets::Network;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::job::Training;
use crate::engine::loaders::Loaders;
use crate::engine::memory::check_fits;
use crate::engine::replicas::Replicas;
use crate::engine::source::{BatchSource, SourceBatch};
use crate::engine::state::TrainState;
use crate::engine::step::StepOutcome;
use crate::engine::validation::{check_readable, evaluate};

/// The photos of a data set, computed by all devices of the training.
#[derive(Debug)]
pub(crate) struct PhotoSource<'a> {
    training: &'a Training<'a>,
    loaders: &'a Loaders,
    replicas: Replicas,
}

impl<'a> PhotoSource<'a> {
    /// Opens the recipe's teachers on every device, and checks that a step fits into memory and that photos can be read.
    pub(crate) fn open(
        training: &'a Training<'a>,
        loaders: &'a Loaders,
        network: &Network,
        state: &TrainState,
    ) -> Result<Self, TrainError> {
        let Training { recipe, data, devices, .. } = *training;
        let replicas = Replicas::open(recipe, data, &loaders.preprocess.normalisation, devices)?;
        let side = recipe.network_spec(2).side;
        let with_head = recipe.training.sampled_classes.is_none();
        check_fits(network, recipe.training.batch, side, recipe.precision(), with_head, &devices[0])?;
        if state.epoch == 0 && state.batch == 0 {
            check_readable(&loaders.valid, data.valid.len())?;
        }
        Ok(Self { training, loaders, replicas })
    }
}

impl BatchSource for PhotoSource<'_> {
    type Batch = Batch;

    fn batches_per_epoch(&self) -> usize {
        self.loaders.train.batches_per_epoch()
    }

    fn epoch(&self, epoch: usize, first: usize) -> impl Iterator<Item = SourceBatch<Batch>> {
        let mut batches = self.loaders.train.epoch(epoch, first);
        iter::from_fn(move || {
            let mut batch = batches.next()?;
            let bad = mem::take(&mut batch.bad);
            let batch = (!batch.is_empty()).then_some(batch);
            Some(SourceBatch { bad, batch, waited: batches.waited() })
        })
    }

    fn step(
        &self,
        network: &Network,
        batch: Batch,
        (epoch, batch_number): (usize, usize),
        gradients: &mut GradientAccumulator,
    ) -> StepOutcome {
        let seed = step_seed(self.training.recipe.training.seed, epoch, batch_number);
        self.replicas.seed(seed);
        self.replicas.backward(network, &batch, seed, gradients)
    }

    fn validate(&self, network: &Network, on_bad: impl FnMut(&BadPhoto)) -> Option<Scores> {
        let Training { recipe, data, interrupt, .. } = *self.training;
        evaluate(network, &self.loaders.valid, data.classes.len(), recipe.precision(), interrupt, on_bad)
    }
}

/// The seed of one step: SplitMix64's mixing (Steele et al. 2014) of the run's seed, the epoch and the batch.
fn step_seed(seed: u64, epoch: usize, batch: usize) -> u64 {
    let mut z = seed
        .wrapping_add((epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add((batch as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
