//! `cairn sweep`

use cairn_dataset::path_text;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cairn_dataset::ImageFolder;
use cairn_eval::write_run_curves;
use cairn_train::{
    Interrupt, Run, RunFolder, RunRecord, SWEEP_CURVES, Spread, StopReason, Sweep as Plan, SweepRow,
    SweepRun, SweepStatus, TrainError, Training, summarise, train,
};
use clap::Args;

use super::train::{Cache, resolve, say_stop};
use crate::data_set::DataSetOptions;
use crate::devices::Devices;
use crate::exit::Status;
use crate::first_weights::first_weights;
use crate::progress::{TrainingProgress, say};
use crate::rows::Format;
use crate::signals::{AFTER_BATCH, stop_on_signals};
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Train a recipe with every combination of some values and compare the runs (resumes if started again)
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Data set
    #[arg(value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Built-in sweep, or TOML file with `recipe`, `seeds`, and `[[vary]]` with `key` and `values`
    #[arg(long, value_name = "NAME|FILE")]
    recipe: String,
    /// Folder of the sweep's runs [default: runs/NAME]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Epochs of each run [default: the sweep's]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Most minutes of each run [default: the sweep's]
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Where decoded photos are cached between epochs
    #[arg(long, value_enum, default_value_t = Cache::Auto)]
    cache: Cache,
    #[command(flatten)]
    devices: Devices,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Sweep {
    pub(crate) fn run(self) -> Result<Status> {
        // Known at once, rather than after the photos are measured.
        StandardOutput::open()?;
        self.devices.open()?;
        let mut plan = Plan::find(&self.recipe)?;
        plan.epochs = self.epochs.or(plan.epochs);
        plan.minutes = self.minutes.or(plan.minutes);
        let runs = plan.runs()?;
        let folder = self.out.clone().unwrap_or_else(|| {
            Path::new("runs").join(Path::new(&self.recipe).file_stem().unwrap_or_default())
        });
        let data = self.data_set.open_to_train(&self.data)?;
        let root = self.data.canonicalize();
        let root = root.with_context(|| format!("{}: cannot be read", path_text(&self.data)))?;

        // Until here there is nothing to save: a signal ends the program.
        let interrupt = stop_on_signals(AFTER_BATCH)?;
        let _claim = Plan::claim(&folder)?;
        say(format!("{} runs in {}", runs.len(), path_text(&folder)));
        let mut bad_photos = 0;
        let mut ended = Vec::new();
        for (number, run) in (1..).zip(&runs) {
            say(format!("run {number} of {}: {}", runs.len(), run.name));
            match self.train(run, &folder, &data, &root, &interrupt, &mut bad_photos)? {
                RunEnd::Ended(run) => ended.push(Some(*run)),
                RunEnd::Diverged => ended.push(None),
                RunEnd::Interrupted => {
                    say("go on with the same command");
                    return Ok(Status::Interrupted);
                }
            }
        }
        self.report(&plan, &runs, &ended, &folder)?;
        Ok(Status::with_bad_photos(bad_photos))
    }

    /// Brings one run to its end, unless it has come there before.
    fn train(
        &self,
        planned: &SweepRun,
        sweep: &Path,
        data: &ImageFolder,
        root: &Path,
        interrupt: &Interrupt,
        bad_photos: &mut usize,
    ) -> Result<RunEnd> {
        let (run, recipe) = match planned.status(sweep, root)? {
            SweepStatus::Ended(run) if run.record.ended == Some(StopReason::Diverged) => {
                say("done already: it diverged");
                return Ok(RunEnd::Diverged);
            }
            SweepStatus::Ended(run) => {
                say("done already");
                return Ok(RunEnd::Ended(run));
            }
            SweepStatus::Begun(run, recipe) => (run, *recipe),
            SweepStatus::Missing => {
                let recipe = resolve(planned.recipe.clone(), data, &self.devices)?;
                let record = RunRecord::here(root.to_owned()).by_recipe(&self.recipe);
                (RunFolder::create(sweep.join(&planned.folder), &recipe, &record)?, recipe)
            }
        };
        let mut progress = TrainingProgress::new(recipe.training.epochs);
        let weights = first_weights(&recipe.network)?;
        let training = Training {
            recipe: &recipe,
            data,
            run: &run,
            weights: weights.as_ref(),
            cache: self.cache.into(),
            devices: &self.devices.open()?,
            interrupt,
        };
        let outcome = train(&training, &mut progress);
        *bad_photos = (*bad_photos).max(progress.bad_photos());
        drop(progress);
        match outcome {
            Ok(outcome) if outcome.stopped == StopReason::Interrupted => Ok(RunEnd::Interrupted),
            Ok(outcome) => {
                say_stop(outcome.stopped, run.path());
                Ok(RunEnd::Ended(Box::new(Run::read(run.path())?)))
            }
            // One combination that leads nowhere is a result, and no reason not to try the others.
            Err(error @ (TrainError::Diverged { .. } | TrainError::NoBestModel { .. })) => {
                say(format!("{error}"));
                Ok(RunEnd::Diverged)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn report(&self, plan: &Plan, runs: &[SweepRun], ended: &[Option<Run>], folder: &Path) -> Result<()> {
        let results = runs.iter().zip(ended).map(|(run, ended)| (run.values.as_slice(), ended.as_ref()));
        let mut columns: Vec<Column> =
            plan.vary.iter().map(|vary| Column::new(&vary.key, &vary.key).at_most(WIDEST_VALUE)).collect();
        columns.push(Column::new("runs", "runs"));
        for (key, heading) in FIGURES {
            columns.push(Column::new(key, heading));
            columns.push(Column::new(format!("{key}_deviation"), "±"));
        }
        let mut table = TableOutput::new(columns);
        for row in summarise(results) {
            table.push(cells(&row));
        }
        table.print(self.format, Layout::Rows)?;

        let named = runs.iter().zip(ended).filter_map(|(run, ended)| Some((run, ended.as_ref()?)));
        let curves: Vec<_> = named.map(|(run, ended)| ended.curves(run.name.clone())).collect();
        if !curves.is_empty() {
            let picture = folder.join(SWEEP_CURVES);
            write_run_curves(&picture, &curves)?;
            say(format!("validation curves: {}", path_text(&picture)));
        }
        Ok(())
    }
}

enum RunEnd {
    Ended(Box<Run>),
    Diverged,
    Interrupted,
}

/// Characters of a varied value in a line of the table: a list of augmentations has hundreds.
const WIDEST_VALUE: u16 = 40;

/// Figures of a row, in the order of [`cells`].
const FIGURES: [(&str, &str); 4] = [
    ("valid_loss", "loss"),
    ("valid_accuracy", "accuracy"),
    ("valid_macro_f1", "macro F1"),
    ("best_epoch", "best epoch"),
];

fn cells(row: &SweepRow) -> Vec<Cell> {
    let loss: fn(f64) -> Cell = |loss| Cell::number(loss, 4);
    // Of one run, or of runs that agree, it is a whole number.
    let epoch: fn(f64) -> Cell = |epoch| Cell::number(epoch, usize::from(epoch.fract() != 0.0));
    let figures = [
        (row.valid_loss, loss),
        (row.valid_accuracy, Cell::percent),
        (row.valid_macro_f1, Cell::percent),
        (row.best_epoch, epoch),
    ];
    let mut cells: Vec<Cell> = row.values.iter().map(Cell::text).collect();
    cells.push(Cell::count(row.runs));
    for (figure, cell) in figures {
        cells.push(figure.map_or(Cell::Nothing, |Spread { mean, .. }| cell(mean)));
        cells.push(figure.and_then(|spread| spread.deviation).map_or(Cell::Nothing, cell));
    }
    cells
}
