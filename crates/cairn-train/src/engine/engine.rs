//! The training loop.

use std::time::Instant;

use burn::module::Module;
use cairn_eval::Evaluation;
use cairn_kernels::in_pool;
use cairn_kernels::layers::images;
use cairn_nets::Network;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::arcface::with_cosine_head;
use crate::engine::centres::{CentreVotes, with_dominant_centres};
use crate::engine::clock::Clock;
use crate::engine::feature_source::FeatureSource;
use crate::engine::job::{Outcome, Training};
use crate::engine::learner::Learner;
use crate::engine::loaders::Loaders;
use crate::engine::observer::{Event, Observer};
use crate::engine::photo_source::PhotoSource;
use crate::engine::run_writer::{BestEpoch, CheckpointPolicy, RunWriter};
use crate::engine::source::BatchSource;
use crate::engine::state::{Lap, TrainState};
use crate::recipe::{Recipe, RecipeError};
use crate::run::history::{EpochRecord, History};
use crate::run::record::StopReason;
use crate::run::run_folder::RunFolder;

/// Trains a network, and keeps the model with the lowest validation loss.
///
/// All randomness follows from the recipe's seed. A run that was interrupted and resumed ends with the same weights as one
/// that was not, bit for bit, on the same machine and without a time budget.
///
/// # Errors
/// When the recipe does not suit the photos, the run folder cannot be written, memory does not suffice, or the loss is not
/// finite.
///
/// # Panics
/// If there is no device.
pub fn train(training: &Training<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    let Training { recipe, data, cache, .. } = *training;
    recipe.validate()?;
    let kept = recipe.kept(data)?;
    let data = kept.as_ref().unwrap_or(data);
    let training = &Training { data, ..*training };
    let loaders = &Loaders::new(recipe, data, cache)?;
    let (learner, state) = Learner::begin_or_resume(training, observer)?;
    let architecture = recipe.network.architecture;
    let fault = format!("{architecture} has no linear last layer to have margins in: leave metric out");
    let sampled = format!(
        "{architecture} has no linear last layer of which some outputs could learn: leave out training.sampled_classes"
    );
    let linear = learner.network.has_linear_head();
    RecipeError::check([
        (recipe.metric.is_none() || linear, fault),
        (recipe.training.sampled_classes.is_none() || linear, sampled),
    ])?;
    // In the last epoch the most layers learn, which takes the most memory.
    let learner = learner.in_epoch(recipe.training.epochs - 1);
    match recipe.fine_tune.cached_views {
        None => {
            let source = PhotoSource::open(training, loaders, &learner.network, &state)?;
            let policy = CheckpointPolicy::EveryEpoch;
            Engine { training, loaders, source, policy }.run(learner, state, observer)
        }
        Some(views) => {
            let source = FeatureSource::open(training, loaders, views, &learner.network)?;
            let policy = CheckpointPolicy::Timed;
            Engine { training, loaders, source, policy }.run(learner, state, observer)
        }
    }
}

/// One training. Its loop is the same for photos and for cached features.
struct Engine<'a, S> {
    training: &'a Training<'a>,
    loaders: &'a Loaders,
    source: S,
    policy: CheckpointPolicy,
}

impl<S: BatchSource<Batch: Send> + Sync> Engine<'_, S> {
    fn run(
        self,
        mut learner: Learner,
        mut state: TrainState,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        let Self { training, loaders, mut source, policy } = self;
        let Training { recipe, data, run, interrupt, .. } = *training;
        observer.on_event(Event::Started {
            train_photos: data.train.len(),
            valid_photos: data.valid.len(),
            parameters: learner.network.parameter_count(),
            epoch: state.epoch + 1,
        });
        if let Some(stopped) = reason_to_stop(recipe, &state, &Clock::new(recipe, state.seconds)) {
            return ended(run, state.history, stopped);
        }
        run.note_end(None)?;
        if !source.prepare(&learner, &mut state, observer)? {
            return Ok(interrupted(state));
        }

        let mut writer = RunWriter::new(training, &loaders.preprocess, policy);
        let mut clock = Clock::new(recipe, state.seconds);
        let batches = source.batches_per_epoch();
        loop {
            if let Some(stopped) = reason_to_stop(recipe, &state, &clock) {
                writer.catch_up(&state, &learner)?;
                return ended(run, state.history, stopped);
            }
            if interrupt.requested() {
                writer.catch_up(&state, &learner)?;
                return Ok(interrupted(state));
            }
            learner = learner.in_epoch(state.epoch);
            let lap = Lap::start(&state.sums);
            let mut learning_rate = state.learning_rate;
            let mut first_bad = None;
            let mut gradients = GradientAccumulator::default();
            for next in source.epoch(state.epoch, state.batch) {
                for bad in &next.bad {
                    observer.on_event(Event::BadPhoto(bad));
                    first_bad.get_or_insert_with(|| bad.message());
                }
                state.sums.bad_photos += next.bad.len();
                learning_rate = state.scheduled_rate(recipe, &clock, state.batch, batches);
                state.batch += 1;
                if let Some(batch) = next.batch {
                    let at = (state.epoch, state.batch);
                    let outcome = in_pool(|| source.step(&learner.network, batch, at, &mut gradients));
                    if !outcome.loss.is_finite() {
                        // No checkpoint: the last one is from before the divergence.
                        writer.write_results(&state)?;
                        run.note_end(Some(StopReason::Diverged))?;
                        return Err(diverged(&state, outcome.loss, learning_rate));
                    }
                    state.sums.add(&outcome);
                    state.centre_votes.add(recipe, &outcome.nearest);
                }
                if (state.batch.is_multiple_of(recipe.training.accumulate) || state.batch == batches)
                    && let Some(gradients) = gradients.take(&learner.network, recipe.training.clip_norm)
                {
                    learner = in_pool(|| learner.stepped(learning_rate, gradients));
                }
                lap.note(&mut state.sums, next.waited);
                state.seconds = clock.seconds();
                state.learning_rate = learning_rate;
                observer.on_event(Event::Batch {
                    epoch: state.epoch + 1,
                    batch: state.batch,
                    batches,
                    loss: state.sums.mean_loss(),
                    accuracy: state.sums.accuracy(),
                    progress: clock.progress(state.epoch as f64 + state.batch as f64 / batches as f64),
                });
                // Accumulated gradients are not saved, so that a training stops between two steps only.
                if !gradients.is_empty() {
                    continue;
                }
                if interrupt.requested() {
                    writer.write(&state, &learner)?;
                    return Ok(interrupted(state));
                }
                if clock.checkpoint_due() {
                    writer.write(&state, &learner)?;
                }
                if clock.over() {
                    break;
                }
            }
            if let Some(trouble) = loaders.cache.trouble().filter(|_| state.epoch == 0) {
                observer.on_event(Event::CacheTrouble(&trouble));
            }
            if state.sums.photos == 0 {
                let first = first_bad.unwrap_or_default();
                return Err(TrainError::NothingReadable { photos: data.train.len(), first });
            }

            let began = Instant::now();
            let network = settled(learner.snapshot(), training, &state.centre_votes, loaders)?;
            let mut bad_photos = state.sums.bad_photos;
            let mut first_bad = None;
            let scores = source.validate(&network, |bad| {
                bad_photos += 1;
                observer.on_event(Event::BadPhoto(bad));
                first_bad.get_or_insert_with(|| bad.message());
            });
            let Some(scores) = scores else {
                writer.write(&state, &learner)?;
                return Ok(interrupted(state));
            };
            if scores.is_empty() {
                let first = first_bad.unwrap_or_default();
                return Err(TrainError::NothingToValidate { photos: data.valid.len(), first });
            }
            clock.validation_took(began.elapsed());
            let best_before = state.history.lowest_loss();
            let record = record(&state, learning_rate, &scores.evaluate(&data.classes, 1.0), bad_photos);
            observer.on_event(Event::Epoch { record: &record, best_before });
            state.end_epoch(record.clone(), &clock);
            let best = record.best.then_some(BestEpoch { network, record, scores });
            writer.end_epoch(best, || clock.checkpoint_due(), &state, &learner)?;
        }
    }
}

/// The network as it is validated and saved: of a training with margins, with a head of cosines to one centre of each class.
fn settled(
    network: Network,
    training: &Training<'_>,
    votes: &CentreVotes,
    loaders: &Loaders,
) -> Result<Network, TrainError> {
    let Training { recipe, data, devices, .. } = *training;
    let Some(metric) = recipe.metric else { return Ok(network) };
    let device = &devices[0];
    let network = match metric.centres {
        1 => network,
        centres => {
            let spec = recipe.network_spec(data.classes.len());
            with_dominant_centres(&network, &spec, centres, votes)?.fork(device)
        }
    };
    // Some photos tell how long features are.
    let Some(batch) = loaders.valid.epoch(0, 0).find(|batch| !batch.is_empty()) else { return Ok(network) };
    let shape = [batch.len(), 3, batch.height, batch.width];
    let images = images(&batch.pixels, shape, device);
    let features = network.features(images, recipe.precision());
    with_cosine_head(&network, metric.scale, features)
}

fn interrupted(state: TrainState) -> Outcome {
    Outcome { history: state.history, stopped: StopReason::Interrupted }
}

/// Notes in the run's record why it ended.
///
/// # Errors
/// When no epoch had a finite validation loss, or the record cannot be written.
fn ended(run: &RunFolder, history: History, stopped: StopReason) -> Result<Outcome, TrainError> {
    let best = history.best().is_some();
    run.note_end(Some(if best { stopped } else { StopReason::Diverged }))?;
    if best {
        Ok(Outcome { history, stopped })
    } else {
        Err(TrainError::NoBestModel { epochs: history.epochs().len() })
    }
}

/// The error of a loss that is not finite, in the last batch of this state.
fn diverged(state: &TrainState, loss: f64, learning_rate: f64) -> TrainError {
    let best = state.history.best().map(|record| record.epoch);
    TrainError::Diverged { loss, epoch: state.epoch + 1, batch: state.batch, learning_rate, best }
}

/// Why the training ends here, between two epochs; `None` if it goes on. Every run has at least one epoch.
fn reason_to_stop(recipe: &Recipe, state: &TrainState, clock: &Clock) -> Option<StopReason> {
    let patience = recipe.training.early_stopping.unwrap_or(usize::MAX);
    if state.epoch >= recipe.training.epochs {
        Some(StopReason::Epochs)
    } else if state.epoch > 0 && state.batch == 0 && clock.over() {
        Some(StopReason::Minutes)
    } else if state.history.epochs_since_best() >= patience {
        Some(StopReason::EarlyStopping)
    } else {
        None
    }
}

fn record(state: &TrainState, learning_rate: f64, valid: &Evaluation, bad_photos: usize) -> EpochRecord {
    let sums = &state.sums;
    EpochRecord {
        epoch: state.epoch + 1,
        learning_rate,
        train_loss: sums.mean_loss(),
        train_accuracy: sums.accuracy(),
        valid_loss: valid.loss,
        valid_accuracy: valid.accuracy,
        valid_macro_f1: valid.macro_f1,
        best: valid.loss < state.history.lowest_loss(),
        train_seconds: sums.seconds,
        photos_per_second: sums.photos as f64 / sums.seconds,
        data_wait: sums.waited / sums.seconds,
        bad_photos,
    }
}
