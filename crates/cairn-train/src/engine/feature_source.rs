//! Batches of cached features, for linear probes: photos pass through the frozen layers once, and the head learns from
//! their features.

use std::iter;
use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{BadPhoto, ClassId, Example, Loader};
use cairn_eval::Scores;
use cairn_kernels::layers::images;
use cairn_nets::Network;
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::job::Training;
use crate::engine::learner::Learner;
use crate::engine::loaders::Loaders;
use crate::engine::loss::{Loss, Targets};
use crate::engine::observer::{Event, Observer};
use crate::engine::source::{BatchSource, SourceBatch};
use crate::engine::state::TrainState;
use crate::engine::step::{Input, StepInput, StepOutcome, backward};
use crate::recipe::RecipeError;

/// Features of several views of each training photo, and of the validation photos.
///
/// The first view is the one that validation takes, the others are augmented. The first device computes alone: a linear
/// layer is little work.
#[derive(Debug)]
pub(crate) struct FeatureSource<'a> {
    training: &'a Training<'a>,
    loaders: &'a Loaders,
    views: usize,
    /// With gradients.
    device: Device,
    loss: Loss,
    train: FeatureSet,
    valid: FeatureSet,
}

impl<'a> FeatureSource<'a> {
    /// A source without features until it is prepared. Checks that the network's last layer is linear.
    pub(crate) fn open(
        training: &'a Training<'a>,
        loaders: &'a Loaders,
        views: usize,
        network: &Network,
    ) -> Result<Self, TrainError> {
        let Training { recipe, data, devices, .. } = *training;
        let architecture = recipe.network.architecture;
        let fault = format!(
            "{architecture} has no linear last layer to learn from features: leave fine_tune.cached_views out"
        );
        RecipeError::check([(network.has_linear_head(), fault)])?;
        let classes = data.classes.len();
        Ok(Self {
            training,
            loaders,
            views,
            device: devices[0].clone().autodiff(),
            loss: Loss::new(recipe, &data.train, classes),
            train: FeatureSet::new(classes),
            valid: FeatureSet::new(classes),
        })
    }

    /// The rows of the training features in the order of this epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.train.labels.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.training.recipe.training.seed);
        rng.set_stream(epoch as u64);
        order.shuffle(&mut rng);
        order
    }
}

impl BatchSource for FeatureSource<'_> {
    type Batch = StepInput;

    fn prepare(
        &mut self,
        learner: &Learner,
        state: &mut TrainState,
        observer: &mut dyn Observer,
    ) -> Result<bool, TrainError> {
        let (data, loaders) = (self.training.data, self.loaders);
        let mut pass = FeaturePass {
            training: self.training,
            network: learner.snapshot(),
            device: self.device.clone().inner(),
            done: 0,
            total: self.views * data.train.len() + data.valid.len(),
            bad: Vec::new(),
        };
        let augmented = (1..self.views).map(|view| (&loaders.train, view));
        let views = iter::once((&loaders.train_eval, 0)).chain(augmented);
        for (loader, view) in views {
            if !pass.add(loader, view, &mut self.train, observer) {
                return Ok(false);
            }
        }
        if !pass.add(&loaders.valid, 0, &mut self.valid, observer) {
            return Ok(false);
        }
        if self.train.labels.is_empty() {
            let first = pass.first_bad(&data.train);
            return Err(TrainError::NothingReadable { photos: data.train.len(), first });
        }
        if self.valid.labels.is_empty() {
            let first = pass.first_bad(&data.valid);
            return Err(TrainError::NothingToValidate { photos: data.valid.len(), first });
        }
        // Photos are read once, so that they are bad in the first epoch alone.
        if state.epoch == 0 {
            state.sums.bad_photos = pass.bad.len();
        }
        Ok(true)
    }

    fn batches_per_epoch(&self) -> usize {
        self.train.labels.len().div_ceil(self.training.recipe.training.batch)
    }

    fn epoch(&self, epoch: usize, first: usize) -> impl Iterator<Item = SourceBatch<StepInput>> {
        let order = self.order(epoch);
        let size = self.training.recipe.training.batch;
        (first..self.batches_per_epoch()).map(move |number| {
            let rows = &order[number * size..order.len().min((number + 1) * size)];
            let batch = Some(self.train.batch(rows, &self.device));
            SourceBatch { bad: Vec::new(), batch, waited: Duration::ZERO }
        })
    }

    fn step(
        &self,
        network: &Network,
        batch: StepInput,
        (epoch, batch_number): (usize, usize),
        gradients: &mut GradientAccumulator,
    ) -> StepOutcome {
        let recipe = self.training.recipe;
        let steps_before = epoch * self.batches_per_epoch() + batch_number - 1;
        self.device.seed(recipe.training.seed ^ steps_before as u64);
        let (new, outcome) = backward(network, batch, &self.loss, recipe.precision());
        gradients.add(network, new, outcome.photos);
        outcome
    }

    fn validate(&self, network: &Network, _on_bad: impl FnMut(&BadPhoto)) -> Option<Scores> {
        Some(self.valid.scores(network, &self.device.clone().inner()))
    }
}

/// Features with their labels, one row for each view of a photo.
#[derive(Debug)]
struct FeatureSet {
    classes: usize,
    /// `[rows][features]`
    values: Vec<f32>,
    /// `[rows][classes]`
    shares: Vec<f32>,
    labels: Vec<ClassId>,
}

impl FeatureSet {
    fn new(classes: usize) -> Self {
        Self { classes, values: Vec::new(), shares: Vec::new(), labels: Vec::new() }
    }

    /// The input of a step on these rows; `device` has gradients.
    fn batch(&self, rows: &[usize], device: &Device) -> StepInput {
        let width = self.values.len() / self.labels.len();
        let pick = |from: &[f32], width: usize| -> Vec<f32> {
            rows.iter().flat_map(|row| &from[row * width..(row + 1) * width]).copied().collect()
        };
        let values = TensorData::new(pick(&self.values, width), [rows.len(), width]);
        let targets = Targets { labels: pick(&self.shares, self.classes), answers: None };
        StepInput { input: Input::Features(Tensor::from_data(values, device)), targets, sampled: None }
    }

    /// The head's scores of all rows.
    fn scores(&self, network: &Network, device: &Device) -> Scores {
        let mut scores = Scores::new(self.classes);
        if self.labels.is_empty() {
            return scores;
        }
        let (rows, width) = (self.labels.len(), self.values.len() / self.labels.len());
        let features = Tensor::<2>::from_data(TensorData::new(self.values.clone(), [rows, width]), device);
        let logits: Vec<f32> = network.classify(features).into_data().iter::<f32>().collect();
        for (label, logits) in self.labels.iter().zip(logits.chunks_exact(self.classes)) {
            scores.push(*label, logits);
        }
        scores
    }
}

/// The one pass of all photos through the frozen layers.
struct FeaturePass<'a> {
    training: &'a Training<'a>,
    /// For evaluation.
    network: Network,
    device: Device,
    done: usize,
    total: usize,
    /// Photos that cannot be read, with their messages.
    bad: Vec<(PathBuf, String)>,
}

impl FeaturePass<'_> {
    /// The message of the first of these photos that cannot be read.
    fn first_bad(&self, photos: &[Example]) -> String {
        let of = |example: &Example| self.bad.iter().find(|(path, _)| *path == example.path());
        photos.iter().find_map(of).map(|(_, message)| message.clone()).unwrap_or_default()
    }

    /// Adds the features of every photo of an epoch of `loader`; `false` if a stop was requested meanwhile.
    fn add(
        &mut self,
        loader: &Loader,
        epoch: usize,
        to: &mut FeatureSet,
        observer: &mut dyn Observer,
    ) -> bool {
        for batch in loader.epoch(epoch, 0) {
            for bad in batch.bad.iter().filter(|_| epoch == 0) {
                observer.on_event(Event::BadPhoto(bad));
                self.bad.push((bad.path().to_owned(), bad.message()));
            }
            self.done += batch.len() + batch.bad.len();
            if !batch.is_empty() {
                to.shares.extend(batch.soft_labels(to.classes));
                let shape = [batch.len(), 3, batch.height, batch.width];
                let images = images(&batch.pixels, shape, &self.device);
                let features = self.network.features(images, self.training.recipe.precision());
                to.values.extend(features.into_data().iter::<f32>());
                to.labels.extend(batch.labels);
            }
            observer.on_event(Event::Features { done: self.done, total: self.total });
            if self.training.interrupt.requested() {
                return false;
            }
        }
        true
    }
}
