//! The training loop.

use std::time::Instant;

use burn::tensor::Device;
use cairn_dataset::{CacheMode, ImageFolder};
use cairn_eval::{Evaluation, RECALL, Scores, threshold_at_recall};
use cairn_model::{BundleInfo, OodScore, Provenance, Rejection, write_bundle};
use cairn_nets::StateDict;
use cairn_photo::TestViews;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::checkpoint::Place;
use crate::clock::{Clock, Lap};
use crate::history::{EpochRecord, History};
use crate::learner::Learner;
use crate::loaders::Loaders;
use crate::memory::check_fits;
use crate::observer::{Event, Interrupt, Observer};
use crate::portion::Portion;
use crate::probe::probe;
use crate::recipe::Recipe;
use crate::replicas::Replicas;
use crate::run_folder::RunFolder;
use crate::validation::{check_readable, evaluate};

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

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// All epochs are done.
    Epochs,
    /// The minutes are over.
    Minutes,
    /// The validation loss has not fallen for as long as the recipe bears.
    EarlyStopping,
    /// A stop was asked for; the run can be resumed.
    Interrupted,
    /// The loss was no longer a number.
    Diverged,
}

/// Trains a network: epoch by epoch, batch by batch, keeping the model with the lowest validation loss.
///
/// Everything random follows from the recipe's seed, and a run that was interrupted and resumed ends with the weights
/// of one that was not, bit for bit, on the same machine and without a time budget.
///
/// # Errors
/// When the recipe and the photos do not go together, the run folder cannot be written, memory does not suffice, or
/// the loss is no longer a number.
///
/// # Panics
/// If there is no device.
pub fn train(training: &Training<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    let Training { recipe, data, run, cache, interrupt, .. } = *training;
    recipe.validate()?;
    if let Some(views) = recipe.fine_tune.cached_views {
        return probe(training, views, observer);
    }
    let loaders = Loaders::new(recipe, data, cache)?;
    let replicas = Replicas::open(recipe, data, &loaders.preprocess.normalisation, training.devices)?;
    let precision = recipe.precision();
    let (learner, mut place) = Learner::begin_or_resume(training, observer)?;
    // In the last epoch the most layers learn, which takes the most memory.
    let mut learner = learner.in_epoch(recipe.training.epochs - 1);
    let side = recipe.network_spec(2).side;
    check_fits(&learner.network, recipe.training.batch, side, precision, &training.devices[0])?;

    let mut clock = Clock::new(recipe, place.seconds);
    let batches = loaders.train.batches_per_epoch();
    observer.on_event(Event::Started {
        train_photos: data.train.len(),
        valid_photos: data.valid.len(),
        parameters: learner.network.parameter_count(),
        epoch: place.epoch + 1,
    });
    if reason_to_stop(recipe, &place, &clock).is_none() {
        run.note_end(None)?;
    }
    if place.epoch == 0 && place.batch == 0 {
        check_readable(&loaders.valid, data.valid.len())?;
    }
    loop {
        if let Some(stopped) = reason_to_stop(recipe, &place, &clock) {
            return ended(run, place.history, stopped);
        }
        learner = learner.in_epoch(place.epoch);
        let lap = Lap::start(&place.so_far);
        let mut learning_rate = place.learning_rate;
        let mut first_bad = None;
        let mut portion = Portion::default();
        let mut epoch = loaders.train.epoch(place.epoch, place.batch);
        while let Some(batch) = epoch.next() {
            for bad in &batch.bad {
                observer.on_event(Event::BadPhoto(bad));
                first_bad.get_or_insert_with(|| bad.message());
            }
            place.so_far.bad_photos += batch.bad.len();
            learning_rate = place.scheduled_rate(recipe, &clock, place.batch, batches);
            place.batch += 1;
            if !batch.is_empty() {
                // Dropout is a function of the place, so that a resumed run drops what the whole one would have.
                replicas.seed(step_seed(recipe.training.seed, &place));
                let outcome = replicas.backward(&learner.network, &batch, &mut portion);
                if !outcome.loss.is_finite() {
                    run.note_end(Some(StopReason::Diverged))?;
                    return Err(diverged(&place, outcome.loss, place.batch, learning_rate));
                }
                place.so_far.add(&outcome);
            }
            if (place.batch % recipe.training.accumulate == 0 || place.batch == batches)
                && let Some(gradients) = portion.take(&learner.network, recipe.training.clip_norm)
            {
                learner = learner.stepped(learning_rate, gradients);
            }
            lap.note(&mut place.so_far, epoch.waited());
            place.seconds = clock.seconds();
            place.learning_rate = learning_rate;
            observer.on_event(Event::Batch {
                epoch: place.epoch + 1,
                batch: place.batch,
                batches,
                loss: place.so_far.mean_loss(),
                accuracy: place.so_far.accuracy(),
                progress: clock.progress(place.epoch as f64 + place.batch as f64 / batches as f64),
            });
            // Gradients that wait for their step are not saved: stops are between steps.
            if !portion.is_empty() {
                continue;
            }
            if interrupt.requested() {
                save(run, &place, &learner)?;
                return Ok(Outcome { history: place.history, stopped: StopReason::Interrupted });
            }
            if clock.checkpoint_due() {
                save(run, &place, &learner)?;
            }
            if clock.over() {
                break;
            }
        }
        drop(epoch);
        if let Some(trouble) = loaders.cache.trouble().filter(|_| place.epoch == 0) {
            observer.on_event(Event::CacheTrouble(&trouble));
        }
        if place.so_far.photos == 0 {
            let first = first_bad.unwrap_or_default();
            return Err(TrainError::NothingReadable { photos: data.train.len(), first });
        }

        let began = Instant::now();
        let snapshot = learner.snapshot();
        let mut bad_photos = place.so_far.bad_photos;
        let mut first_bad = None;
        let scores = evaluate(&snapshot, &loaders.valid, data.classes.len(), precision, interrupt, |bad| {
            bad_photos += 1;
            observer.on_event(Event::BadPhoto(bad));
            first_bad.get_or_insert_with(|| bad.message());
        });
        let Some(scores) = scores else {
            save(run, &place, &learner)?;
            return Ok(Outcome { history: place.history, stopped: StopReason::Interrupted });
        };
        if scores.is_empty() {
            let first = first_bad.unwrap_or_default();
            return Err(TrainError::NothingToValidate { photos: data.valid.len(), first });
        }
        clock.validation_took(began.elapsed());
        let best_before = place.history.lowest_loss();
        let record = record(&place, learning_rate, &scores.evaluate(&data.classes, 1.0), bad_photos);
        if record.best {
            let info = bundle_info(training, &loaders, &record, &scores, &place.fingerprint)?;
            write_bundle(&run.best_model(), &snapshot, &info)?;
        }
        observer.on_event(Event::Epoch { record: &record, best_before });
        place.end_epoch(record, &clock);
        run.write_history(&place.history)?;
        save(run, &place, &learner)?;
    }
}

/// Notes why the run ended, and says what it came to.
///
/// # Errors
/// When no epoch had a validation loss that is a number, or the record cannot be written.
pub(crate) fn ended(run: &RunFolder, history: History, stopped: StopReason) -> Result<Outcome, TrainError> {
    let best = history.best().is_some();
    run.note_end(Some(if best { stopped } else { StopReason::Diverged }))?;
    if best {
        Ok(Outcome { history, stopped })
    } else {
        Err(TrainError::NoBestModel { epochs: history.epochs().len() })
    }
}

/// The error of a loss that is no number in this batch, counted from 1.
pub(crate) fn diverged(place: &Place, loss: f64, batch: usize, learning_rate: f64) -> TrainError {
    let best = place.history.best().map(|record| record.epoch);
    TrainError::Diverged { loss, epoch: place.epoch + 1, batch, learning_rate, best }
}

/// Why the training ends here, between two epochs, if it does. Every run has one epoch at least.
pub(crate) fn reason_to_stop(recipe: &Recipe, place: &Place, clock: &Clock) -> Option<StopReason> {
    let bears = recipe.training.early_stopping.unwrap_or(usize::MAX);
    if place.epoch >= recipe.training.epochs {
        Some(StopReason::Epochs)
    } else if place.epoch > 0 && place.batch == 0 && clock.over() {
        Some(StopReason::Minutes)
    } else if place.history.epochs_since_best() >= bears {
        Some(StopReason::EarlyStopping)
    } else {
        None
    }
}

pub(crate) fn save(run: &RunFolder, place: &Place, learner: &Learner) -> Result<(), TrainError> {
    let checkpoint = learner
        .checkpoint(place)
        .map_err(|reason| TrainError::Checkpoint { path: run.checkpoint_path(), reason })?;
    run.write_checkpoint(&checkpoint)
}

/// A seed for one step: SplitMix64's mixing (Steele et al. 2014) of the run's seed and the step's place.
fn step_seed(seed: u64, place: &Place) -> u64 {
    let mut z = seed
        .wrapping_add((place.epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add((place.batch as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(crate) fn record(
    place: &Place,
    learning_rate: f64,
    valid: &Evaluation,
    bad_photos: usize,
) -> EpochRecord {
    let sums = &place.so_far;
    EpochRecord {
        epoch: place.epoch + 1,
        learning_rate,
        train_loss: sums.mean_loss(),
        train_accuracy: sums.accuracy(),
        valid_loss: valid.loss,
        valid_accuracy: valid.accuracy,
        valid_macro_f1: valid.macro_f1,
        best: valid.loss < place.history.lowest_loss(),
        train_seconds: sums.seconds,
        photos_per_second: sums.photos as f64 / sums.seconds,
        data_wait: sums.waited / sums.seconds,
        bad_photos,
    }
}

pub(crate) fn bundle_info(
    training: &Training<'_>,
    loaders: &Loaders,
    record: &EpochRecord,
    scores: &Scores,
    fingerprint: &str,
) -> Result<BundleInfo, TrainError> {
    let temperature = scores.fit_temperature();
    // Until `calibrate` finds a better score, and photos of other things to choose it by.
    let confidences = scores.predictions(temperature).into_iter();
    let confidences: Vec<f64> = confidences.map(|p| p.map_or(f64::NAN, |p| p.probability)).collect();
    let rejection = threshold_at_recall(&confidences, RECALL)
        .map(|threshold| Rejection::new(OodScore::Confidence, threshold));
    Ok(BundleInfo {
        network: training.recipe.network_spec(training.data.classes.len()),
        classes: training.data.classes.clone(),
        preprocess: loaders.preprocess.clone(),
        temperature,
        views: TestViews::One,
        rejection,
        learning: None,
        provenance: Provenance {
            cairn: env!("CARGO_PKG_VERSION").to_owned(),
            recipe: training.recipe.without_absolute_paths().to_toml()?,
            data_fingerprint: fingerprint.to_owned(),
            epoch: record.epoch,
            valid_loss: record.valid_loss,
            valid_accuracy: record.valid_accuracy,
        },
    })
}
