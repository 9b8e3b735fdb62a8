//! A training that takes a second or two: a few drawn photos, a small network, all of the randomness.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cairn_dataset::{BadPhoto, CacheMode, ImageFolder, ValidSplit};
use cairn_nets::{Device, StateDict};
use cairn_synthetic::{DrawnSet, Kind};
use cairn_train::{
    EpochRecord, Event, Interrupt, Observer, Outcome, Recipe, RunFolder, RunRecord, TrainError, Training,
    train,
};
use tempfile::TempDir;

/// Residual connections, batch norm, dropout, augmentation, AdamW, a cosine: all that a resumed run has to get right.
const RECIPE: &str = r#"
[network]
architecture = "resnet10-small"
dropout = 0.3
init = "he"

[photos]
framing = { short_side_crop = { short_side = 36, crop = 32 } }
normalisation = "imagenet"
augment = [
    { random_resized_crop = { size = 32, scale = [0.6, 1.0] } },
    { random_rotation = { degrees = 10 } },
    { color_jitter = { brightness = 0.2, contrast = 0.2, saturation = 0.2, hue = 0.1 } },
    { horizontal_flip = { p = 0.5 } },
]

[training]
batch = 8
epochs = 3
label_smoothing = 0.1
seed = 5

[optimiser]
kind = "adamw"
learning_rate = 3e-3
weight_decay = 0.05

[schedule]
kind = "cosine"
warmup_epochs = 1.0
"#;

/// The recipe with `change` made to it.
pub(crate) fn recipe(change: impl FnOnce(&mut Recipe)) -> Recipe {
    let mut recipe = Recipe::parse(RECIPE, "the tests' recipe").unwrap();
    change(&mut recipe);
    recipe.validate().unwrap();
    recipe
}

/// Drawn photos of three kinds in a temporary folder, which also has room for runs.
pub(crate) struct TinySet {
    folder: TempDir,
    /// What trainings compute on: the processor, if not told otherwise.
    pub(crate) devices: Vec<Device>,
}

impl TinySet {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kinds = vec![Kind::Pyramid, Kind::Lighthouse, Kind::ArchBridge];
        let set = DrawnSet { seed: 3, train_per_kind: 16, test_per_kind: 0, side: 48, kinds };
        set.write(&folder.path().join("photos"), |_, _| {}).unwrap();
        Self { folder, devices: vec![Device::flex()] }
    }

    /// The photos, a quarter of them for validation.
    pub(crate) fn data(&self) -> ImageFolder {
        let split = ValidSplit { fraction: 0.25, seed: 0 };
        ImageFolder::open(&self.folder.path().join("photos"), &split).unwrap()
    }

    /// Makes an empty file of the first validation photo.
    pub(crate) fn spoil_a_validation_photo(&self) {
        fs::write(self.data().valid[0].path(), b"").unwrap();
    }

    /// Makes empty files of all validation photos.
    pub(crate) fn spoil_all_validation_photos(&self) {
        self.data().valid.iter().for_each(|photo| fs::write(photo.path(), b"").unwrap());
    }

    /// A new run folder of this name.
    pub(crate) fn run_folder(&self, name: &str, recipe: &Recipe) -> RunFolder {
        let record = RunRecord::here(self.folder.path().join("photos"));
        RunFolder::create(self.folder.path().join(name), recipe, &record).unwrap()
    }

    /// Trains in `run` until it ends or `watcher` asks for a stop.
    pub(crate) fn train(
        &self,
        recipe: &Recipe,
        run: &RunFolder,
        watcher: &mut Watcher,
    ) -> Result<Outcome, TrainError> {
        self.train_from(None, recipe, run, watcher)
    }

    /// The same from these weights on.
    pub(crate) fn train_from(
        &self,
        weights: Option<&StateDict>,
        recipe: &Recipe,
        run: &RunFolder,
        watcher: &mut Watcher,
    ) -> Result<Outcome, TrainError> {
        self.train_on(&self.data(), weights, recipe, run, watcher)
    }

    /// The same on photos that were listed before.
    pub(crate) fn train_on(
        &self,
        data: &ImageFolder,
        weights: Option<&StateDict>,
        recipe: &Recipe,
        run: &RunFolder,
        watcher: &mut Watcher,
    ) -> Result<Outcome, TrainError> {
        // Burn's CPU backend draws dropout from one generator for the whole process, which a training seeds before
        // each step: two trainings at once would draw from each other's.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        watcher.interrupt = Interrupt::default();
        let interrupt = &watcher.interrupt.clone();
        let (cache, devices) = (CacheMode::Auto, &self.devices[..]);
        train(&Training { recipe, data, run, weights, cache, devices, interrupt }, watcher)
    }

    /// A whole training in a run folder of this name.
    pub(crate) fn train_anew(&self, recipe: &Recipe, name: &str) -> (RunFolder, Result<Outcome, TrainError>) {
        let run = self.run_folder(name, recipe);
        let outcome = self.train(recipe, &run, &mut Watcher::default());
        (run, outcome)
    }
}

/// Where a [`Watcher`] asks for a stop.
#[derive(Clone, Copy, Default)]
pub(crate) enum StopAt {
    #[default]
    Never,
    /// After this batch of this epoch, both counted from 1.
    Batch(usize, usize),
    /// After the first batch that it sees.
    NextBatch,
    /// When this many photos have gone through a probe's frozen layers.
    Features(usize),
    /// After this epoch, counted from 1.
    EpochEnd(usize),
    /// When a bad photo is met in the validation pass of this epoch, counted from 1.
    BadPhotoAfter(usize),
}

/// Keeps what a training tells, and stops it where it is told to.
#[derive(Default)]
pub(crate) struct Watcher {
    pub stop_at: StopAt,
    pub epochs: Vec<EpochRecord>,
    pub bad_photos: Vec<String>,
    /// The share of the training that was done after each batch.
    pub progress: Vec<f64>,
    /// Photos that went through a probe's frozen layers.
    pub features: usize,
    epoch: usize,
    interrupt: Interrupt,
}

impl Watcher {
    pub(crate) fn stopping_at(stop_at: StopAt) -> Self {
        Self { stop_at, ..Self::default() }
    }
}

impl Observer for Watcher {
    fn on_event(&mut self, event: Event<'_>) {
        if let Event::Batch { progress, .. } = event {
            self.progress.push(progress);
        }
        match (event, self.stop_at) {
            (Event::Started { epoch, .. }, _) => self.epoch = epoch,
            (Event::Batch { .. }, StopAt::NextBatch) => self.interrupt.request(),
            (Event::Batch { epoch, batch, .. }, StopAt::Batch(e, b)) if (epoch, batch) == (e, b) => {
                self.interrupt.request();
            }
            (Event::BadPhoto(bad), stop_at) => {
                self.bad_photos.push(BadPhoto::message(bad));
                if matches!(stop_at, StopAt::BadPhotoAfter(epoch) if epoch == self.epoch) {
                    self.interrupt.request();
                }
            }
            (Event::Features { done, .. }, stop_at) => {
                self.features = done;
                if matches!(stop_at, StopAt::Features(photos) if done >= photos) {
                    self.interrupt.request();
                }
            }
            (Event::Epoch { record, .. }, stop_at) => {
                if matches!(stop_at, StopAt::EpochEnd(epoch) if epoch == record.epoch) {
                    self.interrupt.request();
                }
                self.epochs.push(record.clone());
                self.epoch = record.epoch + 1;
            }
            _ => {}
        }
    }
}

/// A file of a run folder.
pub(crate) fn bytes_of(run: &RunFolder, file: &str) -> Vec<u8> {
    let path: &Path = run.path();
    fs::read(path.join(file)).unwrap()
}
