//! Trainings. Each runs on a thread of its own, while the caller's thread calls back and looks for Ctrl-C.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cairn_dataset::{CacheMode, ImageFolder, ValidSplit, path_text, skipped_summary};
use cairn_model::check_classes;
use cairn_nets::{Device, Precision, StateDict};
use cairn_train::{
    EpochRecord, Event, FirstWeights, Interrupt, Observer, Outcome, Recipe, RunFolder, RunRecord, Training,
    train as train_by,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::run::Run;
use crate::{TrainError, train_error};

/// How often the caller's thread looks for signals.
const LOOK_FOR_SIGNALS: Duration = Duration::from_millis(100);

/// What to train on, and by what. Where a figure is missing, the recipe's holds.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Plan {
    data: PathBuf,
    recipe: String,
    out: Option<PathBuf>,
    epochs: Option<usize>,
    minutes: Option<f64>,
    batch: Option<usize>,
    weights: Option<PathBuf>,
    precision: Option<String>,
    seed: Option<u64>,
}

/// A new run, or one to go on with; its photos may have moved.
enum Task {
    Begin(Plan),
    Resume { run: PathBuf, data: Option<PathBuf> },
}

/// Begins a run.
#[pyfunction]
pub(crate) fn train(
    py: Python<'_>,
    plan: Plan,
    cache: &str,
    on_epoch: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    done(py, Task::Begin(plan), cache_mode(cache)?, on_epoch)
}

/// Continues a run from its last checkpoint.
#[pyfunction]
pub(crate) fn resume(
    py: Python<'_>,
    run: PathBuf,
    data: Option<PathBuf>,
    cache: &str,
    on_epoch: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    done(py, Task::Resume { run, data }, cache_mode(cache)?, on_epoch)
}

fn cache_mode(name: &str) -> PyResult<CacheMode> {
    Ok(match name {
        "auto" => CacheMode::Auto,
        "ram" => CacheMode::Ram,
        "disk" => CacheMode::Disk,
        "off" => CacheMode::Off,
        _ => {
            return Err(PyValueError::new_err(format!(
                r#"cache is "auto", "ram", "disk" or "off", not "{name}""#
            )));
        }
    })
}

/// The run of a task, to its end. It holds the exception, Ctrl-C's or the callback's, that ended it before; where that came
/// before there was a run, it is raised.
fn done(py: Python<'_>, task: Task, cache: CacheMode, on_epoch: Option<Bound<'_, PyAny>>) -> PyResult<Run> {
    let interrupt = Interrupt::default();
    let (report, reports) = unbounded();
    let (answer, answers) = unbounded();
    let worker = thread::spawn({
        let interrupt = interrupt.clone();
        move || task.run(cache, &interrupt, Reporter::new(report, answers))
    });
    let raised = call_back(py, &reports, &answer, on_epoch.as_ref(), &interrupt);
    let run = py.detach(|| joined(worker))?;
    match (run, raised) {
        (Some(run), raised) => Ok(Run { error: raised.map(|error| error.into_value(py)), ..run }),
        (None, Some(error)) => Err(error),
        // Only a request to stop, which is made where something is raised, leaves no run.
        (None, None) => Err(TrainError::new_err("the training was stopped before it began")),
    }
}

fn joined<T>(worker: JoinHandle<T>) -> T {
    worker.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Calls back with each epoch, until the training ends. The first exception requests a stop and is returned.
fn call_back(
    py: Python<'_>,
    reports: &Receiver<EpochRecord>,
    answer: &Sender<()>,
    on_epoch: Option<&Bound<'_, PyAny>>,
    interrupt: &Interrupt,
) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let outcome = match py.detach(|| reports.recv_timeout(LOOK_FOR_SIGNALS)) {
            Ok(record) => {
                let outcome = on_epoch.map_or(Ok(()), |call| {
                    let record = serde_json::to_string(&record).map_err(train_error)?;
                    call.call1((record,)).map(drop)
                });
                if outcome.is_err() {
                    interrupt.request();
                }
                // A training that failed meanwhile waits for no answer.
                let _ = answer.send(());
                outcome
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => return raised,
        };
        // Each time, for short epochs leave no pause.
        if let Err(error) = outcome.and_then(|()| py.check_signals()) {
            interrupt.request();
            raised.get_or_insert(error);
        }
    }
}

/// Tells the caller's thread of each epoch and waits until that has called back, so that an exception stops the training
/// before the next epoch. Notes what is to be said at the end.
struct Reporter {
    report: Sender<EpochRecord>,
    answers: Receiver<()>,
    seen: HashSet<PathBuf>,
    bad_photos: Vec<String>,
    warnings: Vec<String>,
}

impl Reporter {
    fn new(report: Sender<EpochRecord>, answers: Receiver<()>) -> Self {
        Self { report, answers, seen: HashSet::new(), bad_photos: Vec::new(), warnings: Vec::new() }
    }
}

impl Observer for Reporter {
    fn on_event(&mut self, event: Event<'_>) {
        match event {
            Event::Epoch { record, .. } => {
                if self.report.send(record.clone()).is_ok() {
                    // An error means that the caller's thread is gone: then there is nothing to wait for.
                    let _ = self.answers.recv();
                }
            }
            Event::BadPhoto(bad) => {
                // Each is tried again in every epoch.
                if self.seen.insert(bad.path().to_owned()) {
                    self.bad_photos.push(bad.message());
                }
            }
            Event::CacheTrouble(trouble) => {
                self.warnings.push(format!("decoded photos are no longer kept: {trouble}"));
            }
            Event::FirstWeights(_) | Event::Features { .. } | Event::Started { .. } | Event::Batch { .. } => {
            }
        }
    }
}

impl Task {
    /// Does it. `None` if a stop was requested before there was a run.
    fn run(self, cache: CacheMode, interrupt: &Interrupt, mut reporter: Reporter) -> PyResult<Option<Run>> {
        let job = match self {
            Self::Begin(plan) => plan.job(interrupt)?,
            Self::Resume { run, data } => Some(resumed_job(run, data)?),
        };
        let Some(Job { recipe, weights, data, run }) = job else { return Ok(None) };
        reporter.warnings.extend(skipped_summary(&data.ignored));
        let training = Training {
            recipe: &recipe,
            data: &data,
            run: &run,
            weights: weights.as_ref(),
            cache,
            devices: &[Device::flex()],
            interrupt,
        };
        let Outcome { history, stopped } = train_by(&training, &mut reporter).map_err(train_error)?;
        let Reporter { bad_photos, warnings, .. } = reporter;
        let path = run.path().to_owned();
        Ok(Some(Run { path, history, stopped: Some(stopped), bad_photos, warnings, error: None }))
    }
}

/// What a training is called with. Its folder is locked while it lives.
struct Job {
    recipe: Recipe,
    weights: Option<StateDict>,
    data: ImageFolder,
    run: RunFolder,
}

impl Plan {
    /// `None` if a stop was requested meanwhile.
    fn job(self, interrupt: &Interrupt) -> PyResult<Option<Job>> {
        let data = data_set(&self.data)?;
        let recipe = self.overridden(Recipe::find(&self.recipe).map_err(train_error)?)?;
        recipe.validate().map_err(train_error)?;
        // Before weights are fetched and photos are measured, which takes a while.
        if let Some(path) = self.out.clone().filter(|out| RunFolder::is_taken(out)) {
            return Err(train_error(cairn_train::TrainError::RunExists { path }));
        }
        let weights = recipe.network.first_weights(&mut |_, _| (), &mut |_, _| ()).map_err(train_error)?;
        let recipe = recipe.resolved(&data, |_, _| ()).map_err(train_error)?;
        if interrupt.requested() {
            return Ok(None);
        }
        let record = RunRecord::here(data.root.clone()).by_recipe(&self.recipe);
        let run = match self.out {
            Some(out) => RunFolder::create(out, &recipe, &record),
            None => {
                let name = Path::new(&self.recipe).file_stem().unwrap_or_default().to_string_lossy();
                RunFolder::create_numbered(Path::new("runs"), &name, &recipe, &record)
            }
        };
        Ok(Some(Job { recipe, weights, data, run: run.map_err(train_error)? }))
    }

    fn overridden(&self, mut recipe: Recipe) -> PyResult<Recipe> {
        let precision = self.precision.as_deref().map(str::parse::<Precision>).transpose();
        let precision = precision.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let weights = self.weights.clone().map(|path| match path.to_str() {
            Some(text) => FirstWeights::from(text.to_owned()),
            None => FirstWeights::File(path),
        });
        recipe.network.weights = weights.or(recipe.network.weights);
        let training = &mut recipe.training;
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.minutes = self.minutes.or(training.minutes);
        training.batch = self.batch.unwrap_or(training.batch);
        training.precision = precision.or(training.precision);
        training.seed = self.seed.unwrap_or(training.seed);
        Ok(recipe)
    }
}

fn resumed_job(run: PathBuf, data: Option<PathBuf>) -> PyResult<Job> {
    let (run, recipe, record) = RunFolder::open(run).map_err(train_error)?;
    let data = data_set(&data.unwrap_or(record.data))?;
    Ok(Job { recipe, weights: None, data, run })
}

/// The data set at an absolute path, every class of it with photos to learn from.
fn data_set(root: &Path) -> PyResult<ImageFolder> {
    let root = root
        .canonicalize()
        .map_err(|error| TrainError::new_err(format!("{}: cannot be read: {error}", path_text(root))))?;
    let data = ImageFolder::open(&root, &ValidSplit::default()).map_err(train_error)?;
    check_classes(&data.classes)
        .map_err(|error| TrainError::new_err(format!("{}: {error}", path_text(&root))))?;
    data.check_trainable().map_err(train_error)?;
    Ok(data)
}
