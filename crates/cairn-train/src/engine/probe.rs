//! The linear probe: photos go through the frozen layers once, and the head learns from their features.

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{ClassId, Example, Loader};
use cairn_eval::Scores;
use cairn_kernels::layers::images;
use cairn_model::write_bundle;
use cairn_nets::Network;
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::clock::Clock;
use crate::engine::engine::{bundle_info, diverged, ended, reason_to_stop, record, save};
use crate::engine::job::{Outcome, Training};
use crate::engine::learner::Learner;
use crate::engine::loaders::Loaders;
use crate::engine::loss::{Loss, Targets};
use crate::engine::observer::{Event, Observer};
use crate::engine::state::TrainState;
use crate::engine::step::{Input, StepInput, backward};
use crate::recipe::RecipeError;
use crate::run::history::EpochRecord;
use crate::run::record::StopReason;

/// Trains the head alone, on features of `views` views of each photo: the one that validation takes, and augmented ones.
///
/// As [`train`](crate::train) goes through batches of photos, this goes through batches of features. An epoch takes less
/// time than a file, so that everything is written at the end and every few minutes.
pub(crate) fn probe(
    training: &Training<'_>,
    views: usize,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let Training { recipe, data, run, cache, interrupt, .. } = *training;
    // Features and their layer are little work: the first device does it alone.
    let device = training.devices[0].clone();
    let loaders = Loaders::new(recipe, data, cache)?;
    let (learner, mut place) = Learner::begin_or_resume(training, observer)?;
    if !learner.network.has_linear_head() {
        let network = recipe.network.architecture;
        return Err(RecipeError::Fault(format!(
            "{network} has no linear last layer to learn from features: leave fine_tune.cached_views out"
        ))
        .into());
    }
    let mut learner = learner.in_epoch(place.epoch);
    observer.on_event(Event::Started {
        train_photos: data.train.len(),
        valid_photos: data.valid.len(),
        parameters: learner.network.parameter_count(),
        epoch: place.epoch + 1,
    });
    // A run that is done needs no features.
    if let Some(stopped) = reason_to_stop(recipe, &place, &Clock::new(recipe, place.seconds)) {
        return ended(run, place.history, stopped);
    }
    run.note_end(None)?;
    let total = views * data.train.len() + data.valid.len();
    let mut pass = FeaturePass::new(training, learner.snapshot(), device.clone(), total);
    let mut features = FeatureSet::new(data.classes.len());
    for view in 0..views {
        let passed = if view == 0 {
            pass.add(&loaders.train_eval, 0, &mut features, observer)
        } else {
            pass.add(&loaders.train, view, &mut features, observer)
        };
        if passed.is_none() {
            return Ok(Outcome { history: place.history, stopped: StopReason::Interrupted });
        }
    }
    let mut valid = FeatureSet::new(data.classes.len());
    if pass.add(&loaders.valid, 0, &mut valid, observer).is_none() {
        return Ok(Outcome { history: place.history, stopped: StopReason::Interrupted });
    }
    if features.labels.is_empty() {
        return Err(TrainError::NothingReadable {
            photos: data.train.len(),
            first: pass.first_bad(&data.train),
        });
    }
    if valid.labels.is_empty() {
        return Err(TrainError::NothingToValidate {
            photos: data.valid.len(),
            first: pass.first_bad(&data.valid),
        });
    }

    let loss = Loss::new(recipe, &data.train, data.classes.len());
    let learning = device.clone().autodiff();
    let mut clock = Clock::new(recipe, place.seconds);
    let batches = features.labels.len().div_ceil(recipe.training.batch);
    let mut best = None;
    let stopped = loop {
        if let Some(stopped) = reason_to_stop(recipe, &place, &clock) {
            break stopped;
        }
        if interrupt.requested() {
            break StopReason::Interrupted;
        }
        let began = Instant::now();
        let mut order: Vec<usize> = (0..features.labels.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(recipe.training.seed);
        rng.set_stream(place.epoch as u64);
        order.shuffle(&mut rng);
        let mut learning_rate = place.learning_rate;
        let mut accumulator = GradientAccumulator::default();
        for (number, rows) in order.chunks(recipe.training.batch).enumerate() {
            learning_rate = place.scheduled_rate(recipe, &clock, number, batches);
            learning.seed(recipe.training.seed ^ (place.epoch * batches + number) as u64);
            let batch = features.batch(rows, &learning);
            let (gradients, outcome) = backward(&learner.network, batch, &loss, recipe.precision());
            if !outcome.loss.is_finite() {
                // No checkpoint: it would be one in the middle of an epoch.
                write_best(training, &loaders, best.take(), &place)?;
                run.write_history(&place.history)?;
                run.note_end(Some(StopReason::Diverged))?;
                return Err(diverged(&place, outcome.loss, number + 1, learning_rate));
            }
            place.sums.add(&outcome);
            accumulator.add(&learner.network, gradients, outcome.photos);
            if ((number + 1) % recipe.training.accumulate == 0 || number + 1 == batches)
                && let Some(gradients) = accumulator.take(&learner.network, recipe.training.clip_norm)
            {
                learner = learner.stepped(learning_rate, gradients);
            }
        }
        place.learning_rate = learning_rate;
        place.sums.seconds = began.elapsed().as_secs_f64();

        let snapshot = learner.snapshot();
        let scores = valid.scores(&snapshot, &device);
        let best_before = place.history.lowest_loss();
        let bad_photos = if place.epoch == 0 { pass.bad.len() } else { 0 };
        let record = record(&place, learning_rate, &scores.evaluate(&data.classes, 1.0), bad_photos);
        if record.best {
            best = Some(Best { network: snapshot, record: record.clone(), scores });
        }
        observer.on_event(Event::Epoch { record: &record, best_before });
        place.end_epoch(record, &clock);
        if clock.checkpoint_due() {
            write_best(training, &loaders, best.take(), &place)?;
            run.write_history(&place.history)?;
            save(run, &place, &learner)?;
        }
    };
    write_best(training, &loaders, best, &place)?;
    run.write_history(&place.history)?;
    save(run, &place, &learner)?;
    match stopped {
        StopReason::Interrupted => Ok(Outcome { history: place.history, stopped }),
        _ => ended(run, place.history, stopped),
    }
}

/// The best epoch since a model was written last.
struct Best {
    network: Network,
    record: EpochRecord,
    scores: Scores,
}

/// Writes the best model, where there is a better one than that in the run folder.
fn write_best(
    training: &Training<'_>,
    loaders: &Loaders,
    best: Option<Best>,
    place: &TrainState,
) -> Result<(), TrainError> {
    let Some(Best { network, record, scores }) = best else { return Ok(()) };
    let info = bundle_info(training, loaders, &record, &scores, &place.fingerprint)?;
    Ok(write_bundle(&training.run.best_model(), &network, &info)?)
}

/// Features by row, with what the photos show.
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

    /// Some rows, on an autodiff device.
    fn batch(&self, rows: &[usize], device: &Device) -> StepInput {
        let width = self.values.len() / self.labels.len();
        let pick = |from: &[f32], width: usize| -> Vec<f32> {
            rows.iter().flat_map(|row| &from[row * width..(row + 1) * width]).copied().collect()
        };
        let values = TensorData::new(pick(&self.values, width), [rows.len(), width]);
        let targets = Targets { labels: pick(&self.shares, self.classes), answers: None };
        StepInput { input: Input::Features(Tensor::from_data(values, device)), targets }
    }

    /// What the head makes of all of them.
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

/// The photos' way through the frozen layers.
struct FeaturePass<'a> {
    training: &'a Training<'a>,
    network: Network,
    device: Device,
    done: usize,
    total: usize,
    /// Photos that could not be read, with their messages.
    bad: Vec<(PathBuf, String)>,
}

impl<'a> FeaturePass<'a> {
    fn new(training: &'a Training<'a>, network: Network, device: Device, total: usize) -> Self {
        Self { training, network, device, done: 0, total, bad: Vec::new() }
    }

    /// The message of the first of these photos that could not be read.
    fn first_bad(&self, photos: &[Example]) -> String {
        let of = |example: &Example| self.bad.iter().find(|(path, _)| *path == example.path);
        photos.iter().find_map(of).map(|(_, message)| message.clone()).unwrap_or_default()
    }

    /// Adds the features of every photo of an epoch of `loader`; `None` when a stop was asked for on the way.
    fn add(
        &mut self,
        loader: &Loader,
        epoch: usize,
        to: &mut FeatureSet,
        observer: &mut dyn Observer,
    ) -> Option<()> {
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
                return None;
            }
        }
        Some(())
    }
}
