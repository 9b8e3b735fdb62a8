//! `cairn demo`

use cairn_dataset::path_text;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cairn_dataset::escape::shown_path;
use cairn_dataset::{CacheMode, Example, ImageFolder, ValidSplit};
use cairn_model::Model;
use cairn_synthetic::{DrawnSet, Kind, Outcome};
use cairn_train::{Recipe, RunFolder, RunRecord, StopReason, Training, train};
use clap::Args;

use super::suggest::print_suggestion;
use super::train::{resolve, say_stop};
use crate::data_set::DataSetOptions;
use crate::devices::Devices;
use crate::exit::Status;
use crate::model_source::ModelSource;
use crate::progress::{TrainingProgress, bar, say};
use crate::signals::{AFTER_BATCH, stop_on_signals};
use crate::standard_output::StandardOutput;
use crate::tested::Tested;

/// Tour of cairn: draw a data set, train on it, test, and name a landmark (no downloads)
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder for the drawn photos and the run; made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = "cairn-demo")]
    out: PathBuf,
    /// Most minutes of training [default: the recipe's]
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Seed of the drawn photos and of the training
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// How many kinds are drawn, the first of all there are: so many are learned well in a minute.
const KINDS: usize = 8;

/// The recipe that comes with cairn for this.
const RECIPE: &str = "demo";

impl Demo {
    pub(crate) fn run(self) -> Result<Status> {
        // Known at once, rather than when there is something to write.
        StandardOutput::open()?;
        let photos = self.out.join("photos");
        self.draw(&photos)?;
        let interrupt = stop_on_signals(AFTER_BATCH)?;

        let data = ImageFolder::open(&photos, &ValidSplit::default())?;
        let devices = Devices::cpu();
        let mut recipe = Recipe::find(RECIPE)?;
        recipe.training.minutes = self.minutes.or(recipe.training.minutes);
        recipe.training.seed = self.seed;
        recipe.validate()?;
        let recipe = resolve(recipe, &data, &devices)?;
        let root =
            photos.canonicalize().with_context(|| format!("{}: cannot be read", path_text(&photos)))?;
        let record = RunRecord::here(root).by_recipe(RECIPE);
        let run = RunFolder::create_numbered(&self.out, "run", &recipe, &record)?;
        say(format!("training a small network from random weights; run folder: {}", path_text(run.path())));
        let mut progress = TrainingProgress::new(recipe.training.epochs);
        let training = Training {
            recipe: &recipe,
            data: &data,
            run: &run,
            weights: None,
            cache: CacheMode::Ram,
            devices: &devices.open()?,
            interrupt: &interrupt,
        };
        let outcome = train(&training, &mut progress)?;
        drop(progress);
        say_stop(outcome.stopped, run.path());
        if outcome.stopped == StopReason::Interrupted {
            return Ok(Status::Interrupted);
        }

        let model = Model::open(run.path())?;
        say("testing it on drawn photos that it never saw");
        let tested = Tested::new(&model, &photos, DataSetOptions::default())?;
        tested.write_report(run.path(), &ModelSource::At(run.path().to_owned()))?;
        let mut out = StandardOutput::open()?;
        writeln!(out, "test accuracy {}", tested.test.evaluation.accuracy_headline())?;
        if let Some(example) = showpiece(&data.test, self.seed) {
            writeln!(out, "\n{}", shown_path(&example.path()))?;
            print_suggestion(&model.suggest(example.path())?)?;
        }
        write_next(&mut out, &run, &photos)?;
        Ok(Status::with_bad_photos(tested.test.bad_photos.len()))
    }

    fn draw(&self, photos: &Path) -> Result<()> {
        let set = DrawnSet {
            seed: self.seed,
            train_per_kind: 90,
            test_per_kind: 20,
            side: 112,
            kinds: Kind::ALL[..KINDS].to_vec(),
        };
        let count = set.kinds.len() * (set.train_per_kind + set.test_per_kind);
        let bar = bar(count, "drawing photos");
        let outcome = set
            .write(photos, |done, _| bar.set_position(done as u64))
            .context("the demo's photos (--out DIR takes another folder)")?;
        bar.finish_and_clear();
        let done = match outcome {
            Outcome::Drawn => "drew",
            Outcome::AlreadyThere => "there already:",
        };
        say(format!("{done} {count} photos of {} made-up landmarks: {}", set.kinds.len(), path_text(photos)));
        Ok(())
    }
}

/// A test photo to show: another one for another seed.
fn showpiece(test: &[Example], seed: u64) -> Option<&Example> {
    // 37 is prime to the number of photos of a kind, so that neighbouring seeds show different kinds.
    let place = seed.wrapping_mul(37) % u64::try_from(test.len()).ok()?.max(1);
    test.get(usize::try_from(place).ok()?)
}

fn write_next(out: &mut impl Write, run: &RunFolder, photos: &Path) -> Result<()> {
    let (run, photos) = (shown_path(run.path()), shown_path(photos));
    writeln!(
        out,
        "
run folder   {run}
curves       {run}/loss.png, {run}/accuracy.png
report       {run}/report.html

Next, with photos of your own in folders DIR/train/NAME/*.jpg (and DIR/test/NAME/*.jpg):
  cairn data check DIR                      is anything wrong with them?
  cairn train DIR --recipe quick            ten minutes of training
  cairn test runs/quick-1 DIR               how good is it?
  cairn suggest PHOTO -m runs/quick-1       which landmark is this?
Or look at what was drawn:
  cairn data show {photos} -o montage.png"
    )?;
    Ok(())
}
