//! `cairn train`

use cairn_dataset::path_text;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::{CacheMode, ImageFolder};
use cairn_nets::{Precision, StateDict};
use cairn_train::{FirstWeights, Outcome, Recipe, RunFolder, RunRecord, StopReason, Training, train};
use clap::{Args, ValueEnum};

use crate::data_set::DataSetOptions;
use crate::devices::Devices;
use crate::exit::Status;
use crate::first_weights::first_weights;
use crate::progress::{bar, say};
use crate::signals::{AFTER_BATCH, stop_on_signals};
use crate::training_ui::TrainingUi;

/// Train a network on a folder of labelled photos
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Data set: train/CLASS/PHOTO, test/CLASS/PHOTO, and valid/ or val/ if there is one
    #[arg(value_name = "DIR", required_unless_present = "resume")]
    data: Option<PathBuf>,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// A recipe that comes with cairn, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "quick", conflicts_with = "resume")]
    recipe: String,
    /// Run folder to make [default: runs/RECIPE-N, the first that is free]
    #[arg(short, long, value_name = "RUN", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Epochs at most, instead of the recipe's
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    epochs: Option<usize>,
    /// Minutes at most, instead of the recipe's
    #[arg(long, value_name = "M", conflicts_with = "resume")]
    minutes: Option<f64>,
    /// Photos in a batch, instead of the recipe's
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    batch: Option<usize>,
    /// Begin with the weights in this file (.safetensors, .pth, .pt), or those that torchvision publishes, instead of the
    /// recipe's; a last layer for other classes begins anew
    #[arg(long, value_name = "FILE|imagenet", conflicts_with = "resume")]
    weights: Option<FirstWeights>,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P", conflicts_with = "resume")]
    precision: Option<Precision>,
    /// Seed of first weights, order, augmentation and dropout, instead of the recipe's
    #[arg(long, value_name = "S", conflicts_with = "resume")]
    seed: Option<u64>,
    /// Where decoded photos are kept from epoch to epoch: up to 2 GiB of memory, or a file in the user's cache folder
    #[arg(long, value_enum, default_value_t = Cache::Auto)]
    cache: Cache,
    #[command(flatten)]
    devices: Devices,
    /// Watch the training on the whole terminal: curves, speed, time left
    #[arg(long)]
    tui: bool,
    /// Continue a run that was stopped or killed, from its last checkpoint
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
}

/// Where decoded photos are kept.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Cache {
    /// In memory, as many as fit
    Ram,
    /// In a file that later runs find again
    Disk,
    /// Nowhere: every photo is decoded in every epoch
    Off,
    /// In memory if all of them fit, else on disk
    Auto,
}

impl From<Cache> for CacheMode {
    fn from(cache: Cache) -> Self {
        match cache {
            Cache::Ram => Self::Ram,
            Cache::Disk => Self::Disk,
            Cache::Off => Self::Off,
            Cache::Auto => Self::Auto,
        }
    }
}

impl Train {
    pub(crate) fn run(self) -> Result<Status> {
        let devices = self.devices.open()?;
        let job = match &self.resume {
            Some(run) => resumed_job(run, self.data.as_deref(), self.data_set)?,
            None => self.new_job()?,
        };
        // Until here there is nothing to save: a signal ends the program.
        let interrupt = stop_on_signals(AFTER_BATCH)?;
        say(format!("run folder: {}", path_text(job.run.path())));
        let mut ui = TrainingUi::new(self.tui, &job.run, &job.recipe, &interrupt)?;
        let training = Training {
            recipe: &job.recipe,
            data: &job.data,
            run: &job.run,
            weights: job.weights.as_ref(),
            cache: self.cache.into(),
            devices: &devices,
            interrupt: &interrupt,
        };
        let outcome = train(&training, &mut ui)?;
        let bad_photos = ui.bad_photos();
        // Gives the terminal back.
        drop(ui);
        say_outcome(&outcome, &job);
        match outcome.stopped {
            StopReason::Interrupted => Ok(Status::Interrupted),
            _ => Ok(Status::with_bad_photos(bad_photos)),
        }
    }

    fn new_job(&self) -> Result<Job> {
        let Some(root) = &self.data else { bail!("give the folder of a data set") };
        let data = self.data_set.open_to_train(root)?;
        let recipe = self.overridden(Recipe::find(&self.recipe)?);
        recipe.validate()?;
        // Before the photos are measured, which takes a while: a folder that cannot be made is known at once.
        self.out.as_deref().map_or(Ok(()), refuse_occupied)?;
        let weights = first_weights(&recipe.network)?;
        let recipe = resolve(recipe, &data, &self.devices)?;
        let root = root.canonicalize().with_context(|| format!("{}: cannot be read", path_text(root)))?;
        let record = RunRecord::here(root).by_recipe(&self.recipe);
        let run = match &self.out {
            Some(out) => RunFolder::create(out, &recipe, &record)?,
            None => {
                let name = Path::new(&self.recipe).file_stem().unwrap_or_default().to_string_lossy();
                RunFolder::create_numbered(Path::new("runs"), &name, &recipe, &record)?
            }
        };
        Ok(Job { recipe, weights, data, run })
    }

    fn overridden(&self, mut recipe: Recipe) -> Recipe {
        recipe.network.weights = self.weights.clone().or(recipe.network.weights);
        let training = &mut recipe.training;
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.minutes = self.minutes.or(training.minutes);
        training.batch = self.batch.unwrap_or(training.batch);
        training.precision = self.precision.or(training.precision);
        training.seed = self.seed.unwrap_or(training.seed);
        recipe
    }
}

/// What was typed, resolved.
pub(crate) struct Job {
    pub recipe: Recipe,
    /// What the network begins with, where it is not drawn.
    pub weights: Option<StateDict>,
    pub data: ImageFolder,
    pub run: RunFolder,
}

fn resumed_job(run: &Path, data: Option<&Path>, data_set: DataSetOptions) -> Result<Job> {
    let (run, recipe, record) = RunFolder::open(run)?;
    // The photos may have moved since.
    let root = data.unwrap_or(&record.data);
    let data = data_set.open_to_train(root).with_context(|| {
        let run = path_text(run.path());
        format!("the photos of {run} are not where they were (give their folder: `cairn train DIR --resume {run}`)")
    })?;
    Ok(Job { recipe, weights: None, data, run })
}

/// Puts figures in place of all that depends on the photos.
///
/// On a graphics card, maps are of f32 unless the recipe says otherwise: not every one computes in bf16.
pub(crate) fn resolve(mut recipe: Recipe, data: &ImageFolder, devices: &Devices) -> Result<Recipe> {
    if devices.are_cards() {
        recipe.training.precision.get_or_insert(Precision::F32);
    }
    let measuring = bar(data.train.len(), "measuring the photos' mean and deviation");
    let recipe = recipe.resolved(data, |done, _| measuring.set_position(done as u64))?;
    measuring.finish_and_clear();
    Ok(recipe)
}

fn refuse_occupied(out: &Path) -> Result<()> {
    if RunFolder::is_taken(out) {
        bail!(
            "{}: already holds files; give another --out, or go on with it by --resume {0}",
            path_text(out)
        );
    }
    Ok(())
}

fn say_outcome(outcome: &Outcome, job: &Job) {
    let run = path_text(job.run.path());
    say_stop(outcome.stopped, job.run.path());
    if outcome.stopped == StopReason::Interrupted {
        return;
    }
    if let Some(best) = outcome.history.best() {
        say(format!(
            "best epoch {}: validation loss {:.4}, {:.1}% right; model: {}",
            best.epoch,
            best.valid_loss,
            best.valid_accuracy * 100.0,
            path_text(job.run.best_model())
        ));
    }
    say(format!("curves: {run}/loss.png, {run}/accuracy.png"));
    say(format!("next: cairn test {run} {}", path_text(&job.data.root)));
}

/// Why a training ended.
pub(crate) fn say_stop(stopped: StopReason, run: &Path) {
    match stopped {
        StopReason::Interrupted => {
            say(format!("stopped and saved; go on with: cairn train --resume {}", path_text(run)));
        }
        StopReason::Epochs => say("all epochs done"),
        StopReason::Minutes => say("the minutes are over"),
        StopReason::EarlyStopping => say("stopped early: the validation loss no longer falls"),
        StopReason::Diverged => say("the training diverged"),
    }
}
