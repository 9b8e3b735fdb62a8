//! The folder that a training leaves behind.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use cairn_kernels::Isa;
use cairn_kernels::extension::kernels_enabled;
use cairn_model::BEST_MODEL;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::checkpoint::Checkpoint;
use crate::history::{EpochRecord, History};
use crate::recipe::Recipe;
use crate::tensorboard::{EVENTS, write_events};
use crate::training::StopReason;

const RECIPE: &str = "recipe.toml";
const RECORD: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";

/// Where and on what a run was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The data set's folder.
    pub data: PathBuf,
    /// The recipe's name or file, before anything took the place of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// When the run was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// Why it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StopReason>,
    /// The version of cairn.
    pub cairn: String,
    /// Operating system and processor family, such as `linux x86_64`.
    pub machine: String,
    /// Processor cores at hand.
    pub cores: usize,
    /// The kernels' instruction set, or `off`.
    #[serde(default)]
    pub kernels: String,
}

impl RunRecord {
    /// A run begun here and now on the photos in `data`.
    pub fn here(data: PathBuf) -> Self {
        Self {
            data,
            recipe: None,
            begun: Some(Timestamp::now()),
            ended: None,
            cairn: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernels: if kernels_enabled() { Isa::best().name() } else { "off" }.to_owned(),
        }
    }

    /// The same of a run by the recipe of this name or file.
    pub fn by_recipe(self, recipe: &str) -> Self {
        Self { recipe: Some(recipe.to_owned()), ..self }
    }
}

/// `linux x86_64, 2 cores, kernels amx`.
impl fmt::Display for RunRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, cores, kernels, .. } = self;
        write!(f, "{machine}, {cores} cores")?;
        if kernels.is_empty() { Ok(()) } else { write!(f, ", kernels {kernels}") }
    }
}

/// A run folder: the resolved recipe, the metrics and curves, the best model and the checkpoint.
///
/// Every file is written under another name first and then renamed, so that a file that is there is whole.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new run in `path`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder holds files already, or cannot be made or written.
    pub fn create(path: impl Into<PathBuf>, recipe: &Recipe, record: &RunRecord) -> Result<Self, TrainError> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(|source| TrainError::Write { path: path.clone(), source })?;
        if Self::is_taken(&path) {
            return Err(TrainError::RunExists { path });
        }
        let run = Self { path };
        run.write(RECIPE, recipe.to_toml()?.as_bytes())?;
        run.write(RECORD, (run.json(RECORD, record)? + "\n").as_bytes())?;
        Ok(run)
    }

    /// The run in `path`, with its recipe and its record.
    ///
    /// # Errors
    /// When there is no run to resume, or its recipe cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<(Self, Recipe, RunRecord), TrainError> {
        let run = Self { path: path.into() };
        for what in [RECIPE, RECORD, CHECKPOINT] {
            if !run.path.join(what).is_file() {
                return Err(TrainError::NotARun { path: run.path, what });
            }
        }
        let (recipe, record) = (run.read_recipe()?, run.read_record()?);
        Ok((run, recipe, record))
    }

    /// The folder at `path`, whether there is a run in it or not.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Whether `path` holds anything but a run that never got under way, whose two files may be written anew.
    pub fn is_taken(path: &Path) -> bool {
        let begun_only = |name: &OsStr| name == RECIPE || name == RECORD;
        fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| !begun_only(&entry.file_name())))
    }

    /// Whether `path` is a run's folder, sound or not: one of a run's own files is there.
    pub(crate) fn holds_run(path: &Path) -> bool {
        [RECORD, METRICS, CHECKPOINT].iter().any(|file| path.join(file).is_file())
    }

    /// Where and on what the run in `path` was begun, if it is a run.
    pub fn record(path: &Path) -> Option<RunRecord> {
        Self::at(path).read_record().ok()
    }

    /// The epochs of the run in `path` so far, if it is a run that has come to have any.
    pub fn history(path: &Path) -> Option<History> {
        Self::at(path).read_history().ok().filter(|history| !history.epochs().is_empty())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the best model is.
    pub fn best_model(&self) -> PathBuf {
        self.path.join(BEST_MODEL)
    }

    /// Writes `metrics.jsonl`, a line for each epoch, and the curves beside it.
    pub(crate) fn write_history(&self, history: &History) -> Result<(), TrainError> {
        let mut lines = String::new();
        for record in history.epochs() {
            lines.push_str(&self.json(METRICS, record)?);
            lines.push('\n');
        }
        self.write(METRICS, lines.as_bytes())?;
        let events = self.path.join(EVENTS);
        write_events(&events, history).map_err(|source| TrainError::Write { path: events, source })?;
        Ok(history.curves().write(&self.path)?)
    }

    /// Notes in the run's record why the training ended.
    pub(crate) fn note_end(&self, reason: StopReason) -> Result<(), TrainError> {
        let record = RunRecord { ended: Some(reason), ..self.read_record()? };
        self.write(RECORD, (self.json(RECORD, &record)? + "\n").as_bytes())
    }

    pub(crate) fn read_recipe(&self) -> Result<Recipe, TrainError> {
        Ok(Recipe::parse(&self.read(RECIPE)?, &self.path.join(RECIPE).display().to_string())?)
    }

    pub(crate) fn read_record(&self) -> Result<RunRecord, TrainError> {
        serde_json::from_str(&self.read(RECORD)?)
            .map_err(|e| TrainError::Read { path: self.path.join(RECORD), source: e.into() })
    }

    /// The epochs so far; none of a run that has not finished its first.
    pub(crate) fn read_history(&self) -> Result<History, TrainError> {
        let path = self.path.join(METRICS);
        let lines = match fs::read_to_string(&path) {
            Ok(lines) => lines,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(TrainError::Read { path, source }),
        };
        let records = lines.lines().map(serde_json::from_str::<EpochRecord>);
        let records = records.collect::<Result<Vec<_>, _>>();
        records.map(History::from).map_err(|e| TrainError::Read { path, source: e.into() })
    }

    pub(crate) fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let bytes = checkpoint.to_bytes().map_err(|reason| self.damaged(reason))?;
        self.write(CHECKPOINT, &bytes)
    }

    /// The checkpoint, if the run has come so far as to have one.
    pub(crate) fn read_checkpoint(&self) -> Result<Option<Checkpoint>, TrainError> {
        let path = self.checkpoint_path();
        match fs::read(&path) {
            Ok(bytes) => Checkpoint::from_bytes(&bytes).map(Some).map_err(|reason| self.damaged(reason)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(TrainError::Read { path, source }),
        }
    }

    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    fn damaged(&self, reason: String) -> TrainError {
        TrainError::Checkpoint { path: self.checkpoint_path(), reason }
    }

    fn json(&self, name: &str, value: &impl Serialize) -> Result<String, TrainError> {
        serde_json::to_string(value)
            .map_err(|e| TrainError::Write { path: self.path.join(name), source: e.into() })
    }

    fn read(&self, name: &str) -> Result<String, TrainError> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(|source| TrainError::Read { path, source })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.path.join(name);
        let failed = |source| TrainError::Write { path: path.clone(), source };
        let mut file = AtomicWriteFile::open(&path).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.commit().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Recipe {
        Recipe::find("demo").unwrap()
    }

    fn record() -> RunRecord {
        RunRecord::here("photos".into())
    }

    #[test]
    fn a_folder_that_holds_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error = RunFolder::create(folder.path(), &demo(), &record()).unwrap_err();
        assert!(matches!(error, TrainError::RunExists { .. }), "{error:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_run_without_a_checkpoint_cannot_be_resumed_and_the_error_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        RunFolder::create(folder.path().join("run"), &demo(), &record()).unwrap();
        let message = RunFolder::open(folder.path().join("run")).unwrap_err().to_string();
        assert!(message.contains(CHECKPOINT), "{message}");
    }
}
