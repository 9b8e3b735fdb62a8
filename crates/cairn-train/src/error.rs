//! What can go wrong in training.

use cairn_dataset::path_text;
use std::io;
use std::path::PathBuf;

use cairn_dataset::{CacheError, DatasetError, LoaderError};
use cairn_eval::EvalError;
use cairn_model::ModelError;
use cairn_nets::weights::{DownloadError, WeightsError};
use cairn_nets::{Architecture, DeviceError, SpecError, StateDictError};

use crate::recipe::RecipeError;

/// Why a training cannot start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The network that the recipe names.
    #[error("the recipe's network cannot be built")]
    Network(#[from] SpecError),
    /// The devices.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The weights to begin with are not for this network.
    #[error("the first weights are for another network than the recipe's: {0}")]
    FirstWeights(StateDictError),
    /// The file of weights to begin with.
    #[error(transparent)]
    WeightsFile(#[from] WeightsError),
    /// Published weights cannot be fetched.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// ImageNet weights of a network that has none.
    #[error(
        "there are no published ImageNet weights for {architecture}; give a file, or a network for which `cairn nets` lists weights"
    )]
    NoPublishedWeights {
        /// The network.
        architecture: Architecture,
    },
    /// Nowhere to keep published weights.
    #[error("there is no cache folder for {url}: download it and name the file by --weights")]
    NoCacheFolder {
        /// Where the weights are published.
        url: String,
    },
    /// A blend without the weights that it begins with.
    #[error(
        "the recipe's network.blend needs the first weights of {}: give them by --weights",
        path_text(with)
    )]
    NothingToBlend {
        /// The model to blend with.
        with: PathBuf,
    },
    /// The data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The cache of decoded photos.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The loader that the recipe describes.
    #[error("the recipe's photos cannot be loaded")]
    Loader(#[from] LoaderError),
    /// A recipe whose normalisation still has to be measured.
    #[error(
        "the recipe uses the data set's mean and deviation, which are not measured yet: resolve the recipe first"
    )]
    Unresolved,
    /// Too few photos to validate on.
    #[error("{}: no validation photos: add a valid/ folder, or more photos to train/", path_text(path))]
    NoValidation {
        /// The data set.
        path: PathBuf,
    },
    /// Not one photo of an epoch could be read.
    #[error("{}: {first}", none_read(*photos, "training"))]
    NothingReadable {
        /// How many were tried.
        photos: usize,
        /// The first photo's error.
        first: String,
    },
    /// Not one validation photo could be read.
    #[error("{}: {first}", none_read(*photos, "validation"))]
    NothingToValidate {
        /// How many were tried.
        photos: usize,
        /// The first photo's error.
        first: String,
    },
    /// The loss is not finite.
    #[error(
        "the loss became {loss} in epoch {epoch}, batch {batch}, at learning rate {learning_rate:.2e}: the training \
         diverged; {}",
        divergence_advice(*best)
    )]
    Diverged {
        /// NaN or infinity.
        loss: f64,
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        batch: usize,
        /// At that step.
        learning_rate: f64,
        /// The epoch whose model is kept, counted from 1, if one was best before.
        best: Option<usize>,
    },
    /// No epoch had a validation loss to choose a model by.
    #[error(
        "no validation loss in {epochs} epochs was a number: the training diverged; {}",
        divergence_advice(None)
    )]
    NoBestModel {
        /// Epochs done.
        epochs: usize,
    },
    /// The machine's memory cannot hold a training step.
    #[error("{}", memory_advice(*batch, *needed_mib, *available_mib, *fitting))]
    Memory {
        /// Photos in a batch.
        batch: usize,
        /// What a step takes, in MiB.
        needed_mib: u64,
        /// What is free, in MiB.
        available_mib: u64,
        /// The largest batch that fits; 0 if not even one photo does.
        fitting: usize,
    },
    /// A ramp of learning rates that is not valid.
    #[error(
        "learning rates from {lowest:e} to {highest:e} in {batches} batches: the first must be above 0 and below the \
         last, with at least one batch"
    )]
    RateRamp {
        /// The first rate.
        lowest: f64,
        /// The last rate.
        highest: f64,
        /// Steps.
        batches: usize,
    },
    /// The run folder holds something already.
    #[error("{}: already holds files; give another --out, or --resume it", path_text(path))]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// Another process trains in the folder.
    #[error(
        "{}: another cairn process is training in this folder; wait until it ends, or stop it first",
        path_text(path)
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A run that ended before it had a recipe and a record.
    #[error("{}: this run never began; begin it with `cairn train DIR --out {0}`", path_text(path))]
    NeverBegun {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that is not a run.
    #[error("{}: not a run folder that can be resumed (no {what})", path_text(path))]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        what: &'static str,
    },
    /// A file of the run folder cannot be read.
    #[error("{}: cannot be read", path_text(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of the run folder cannot be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The checkpoint is damaged.
    #[error("{}: the checkpoint is damaged: {reason}", path_text(path))]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The checkpoint's weights do not fit.
    #[error("{}: the checkpoint's weights do not fit the run's recipe", path_text(path))]
    Weights {
        /// The file.
        path: PathBuf,
        /// Which tensors.
        source: StateDictError,
    },
    /// The run was made on other photos.
    #[error(
        "{}: the photos have changed since this run began (fingerprint {then}, now {now}); start a new run",
        path_text(path)
    )]
    DataChanged {
        /// The data set.
        path: PathBuf,
        /// The run's fingerprint.
        then: String,
        /// The fingerprint of the photos there now.
        now: String,
    },
    /// A teacher with other classes.
    #[error(
        "{}: this teacher has other classes than the data set:{}",
        path_text(path),
        class_differences(missing, surplus)
    )]
    TeacherClasses {
        /// The teacher.
        path: PathBuf,
        /// Class folders that the data set has and the teacher lacks.
        missing: Vec<String>,
        /// Class folders that the teacher has and the data set lacks.
        surplus: Vec<String>,
    },
    /// A teacher that cannot take the photos that the recipe shows.
    #[error(
        "{}: this teacher, {architecture} at {side} px, does not take the recipe's photos of {smallest} to {largest} px",
        path_text(path)
    )]
    TeacherSize {
        /// The teacher.
        path: PathBuf,
        /// Its network.
        architecture: Architecture,
        /// The side that it was trained at.
        side: usize,
        /// The least side that the recipe shows.
        smallest: usize,
        /// The greatest.
        largest: usize,
    },
    /// The best model cannot be written, or a teacher not be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The curves cannot be written.
    #[error(transparent)]
    Curves(#[from] EvalError),
}

/// What is said before the error of the first photo.
fn none_read(photos: usize, kind: &str) -> String {
    match photos {
        1 => format!("the only {kind} photo could not be read"),
        _ => format!("none of the {photos} {kind} photos could be read; the first"),
    }
}

/// Advice after a divergence, and which model is kept.
fn divergence_advice(best: Option<usize>) -> String {
    let kept = match best {
        Some(epoch) => format!("the best model so far, of epoch {epoch}, is kept"),
        None => "no epoch has left a model".to_owned(),
    };
    format!(
        "try a learning rate ten times lower (`cairn lr-find DIR` suggests one), a warm-up, or a network with batch \
         norm; {kept}"
    )
}

fn memory_advice(batch: usize, needed: u64, available: u64, fitting: usize) -> String {
    let shortage = format!(
        "a training step with {batch} photos takes about {needed} MiB of memory, {available} MiB are free"
    );
    match fitting {
        0 => format!("{shortage}: not even one photo fits; try smaller photos or a smaller network"),
        _ => format!("{shortage}: try --batch {fitting}"),
    }
}

fn class_differences(missing: &[String], surplus: &[String]) -> String {
    let parts =
        [("without", missing), ("with", surplus)].into_iter().filter(|(_, classes)| !classes.is_empty());
    parts.map(|(how, classes)| format!(" {how} {}", classes.join(", "))).collect::<Vec<_>>().join(";")
}
