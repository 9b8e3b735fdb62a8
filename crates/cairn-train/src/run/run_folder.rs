//! The run folder: the results of a training on disk.

use cairn_dataset::path_text;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use cairn_eval::Curves;
use cairn_model::BEST_MODEL;
use serde::Serialize;

use crate::TrainError;
use crate::recipe::Recipe;
use crate::relative_path::{relative, without_root};
use crate::run::checkpoint::Checkpoint;
use crate::run::folder_lock::FolderLock;
use crate::run::history::{EpochRecord, History};
use crate::run::leftovers;
use crate::run::record::{RunRecord, StopReason};
use crate::run::tensorboard::{EVENTS, write_events};

const RECIPE: &str = "recipe.toml";
const RECORD: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";
/// An empty file, locked while a process trains in the folder.
const LOCK: &str = "run.lock";

/// The files of a run that are written to a temporary file first.
const FILES: [&str; 9] = {
    let [a, b, c, d] = Curves::FILES;
    [RECIPE, RECORD, METRICS, CHECKPOINT, BEST_MODEL, a, b, c, d]
};

/// A run folder: the resolved recipe, the metrics and curves, the best model and the checkpoint.
///
/// Every file is written to a temporary file and renamed, so that it is either complete or missing. While this value lives,
/// no other process can train in the folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// `None` where the folder is only read.
    _lock: Option<FolderLock>,
}

impl RunFolder {
    /// A new run in `path`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder holds files already, another process trains in it, or it cannot be made or written.
    pub fn create(path: impl Into<PathBuf>, recipe: &Recipe, record: &RunRecord) -> Result<Self, TrainError> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(|source| TrainError::Write { path: path.clone(), source })?;
        // Before the lock, which would leave a file in somebody's folder, and under it: another run may just have ended.
        Self::check_free(&path)?;
        let lock = FolderLock::take(&path, LOCK)?;
        Self::check_free(&path)?;
        let run = Self { path, _lock: Some(lock) };
        run.remove_leftovers()?;
        run.write(RECIPE, recipe.to_toml()?.as_bytes())?;
        run.write_record(&RunRecord { data: run.way_to(&record.data), ..record.clone() })?;
        Ok(run)
    }

    /// A new run in the folder `NAME-N` in `parent`, with the first number that is free.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn create_numbered(
        parent: &Path,
        name: &str,
        recipe: &Recipe,
        record: &RunRecord,
    ) -> Result<Self, TrainError> {
        fs::create_dir_all(parent).map_err(|source| TrainError::Write { path: parent.to_owned(), source })?;
        let mut number = 1;
        loop {
            let path = parent.join(format!("{name}-{number}"));
            // Only one of several processes makes the folder.
            match fs::create_dir(&path) {
                Ok(()) => return Self::create(path, recipe, record),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(TrainError::Write { path, source }),
            }
        }
    }

    /// Opens the run in `path` to continue it from its checkpoint, or from the beginning if it has none. Removes temporary
    /// files of a process that was killed.
    ///
    /// # Errors
    /// When there is no run, another process trains in it, or its recipe cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<(Self, Recipe, RunRecord), TrainError> {
        let path = path.into();
        for what in [RECIPE, RECORD] {
            if !path.join(what).is_file() {
                let begun = !path.is_dir() || Self::is_taken(&path);
                return Err(if begun {
                    TrainError::NotARun { path, what }
                } else {
                    TrainError::NeverBegun { path }
                });
            }
        }
        let lock = FolderLock::take(&path, LOCK)?;
        let run = Self { path, _lock: Some(lock) };
        run.remove_leftovers()?;
        let (recipe, record) = (run.read_recipe()?, run.read_record()?);
        Ok((run, recipe, record))
    }

    /// The folder at `path`, whether there is a run in it or not.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    /// Whether `path` holds files, other than those of a run that never began, which may be overwritten.
    pub fn is_taken(path: &Path) -> bool {
        let begun_only = |name: &OsStr| {
            [RECIPE, RECORD, LOCK].iter().any(|file| name == *file) || leftovers::is_one(name, &FILES)
        };
        fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| !begun_only(&entry.file_name())))
    }

    /// # Errors
    /// When `path` holds files that a new run must not touch.
    fn check_free(path: &Path) -> Result<(), TrainError> {
        if Self::is_taken(path) { Err(TrainError::RunExists { path: path.to_owned() }) } else { Ok(()) }
    }

    /// Whether `path` is a run's folder, sound or not: one of a run's own files is there.
    pub(crate) fn holds_run(path: &Path) -> bool {
        [RECORD, METRICS, CHECKPOINT].iter().any(|file| path.join(file).is_file())
    }

    /// The record of the run in `path`, if it is a run.
    pub fn record(path: &Path) -> Option<RunRecord> {
        Self::at(path).read_record().ok()
    }

    /// The epochs of the run in `path`, if there are any.
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

    /// Writes to the record why the training ended; `None` if it continues.
    pub(crate) fn note_end(&self, ended: Option<StopReason>) -> Result<(), TrainError> {
        let record = self.stored_record()?;
        if record.ended == ended { Ok(()) } else { self.write_record(&RunRecord { ended, ..record }) }
    }

    pub(crate) fn read_recipe(&self) -> Result<Recipe, TrainError> {
        Ok(Recipe::parse(&self.read(RECIPE)?, &path_text(self.path.join(RECIPE)))?)
    }

    pub(crate) fn read_record(&self) -> Result<RunRecord, TrainError> {
        let record = self.stored_record()?;
        let data = self.path.join(&record.data);
        // Without the way through the run folder, where the photos are still there.
        Ok(RunRecord { data: data.canonicalize().unwrap_or(data), ..record })
    }

    /// The record as in its file: the data set's path is relative to the run folder.
    fn stored_record(&self) -> Result<RunRecord, TrainError> {
        serde_json::from_str(&self.read(RECORD)?)
            .map_err(|e| TrainError::Read { path: self.path.join(RECORD), source: e.into() })
    }

    fn write_record(&self, record: &RunRecord) -> Result<(), TrainError> {
        self.write(RECORD, (self.json(RECORD, record)? + "\n").as_bytes())
    }

    /// The path from the run folder to the data set's folder.
    fn way_to(&self, data: &Path) -> PathBuf {
        let way = || relative(&self.path.canonicalize().ok()?, &data.canonicalize().ok()?);
        way().unwrap_or_else(|| without_root(data))
    }

    /// Removes the temporary files of a process that was killed while it wrote a file of the run.
    fn remove_leftovers(&self) -> Result<(), TrainError> {
        leftovers::remove(&self.path, &FILES)
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

    /// The checkpoint, if there is one.
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
    fn a_run_without_a_checkpoint_can_be_resumed_and_one_without_a_record_can_be_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        drop(RunFolder::create(&path, &demo(), &record()).unwrap());
        let (run, recipe, _) = RunFolder::open(&path).unwrap();
        assert_eq!(recipe, demo());
        assert!(run.read_checkpoint().unwrap().is_none());
        drop(run);
        fs::remove_file(path.join(RECORD)).unwrap();
        let message = RunFolder::open(&path).unwrap_err().to_string();
        assert!(message.contains("never began") && message.contains("--out"), "{message}");
        RunFolder::create(&path, &demo(), &record()).unwrap();
    }

    #[test]
    fn a_run_that_is_under_way_can_neither_be_resumed_nor_begun_by_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path(), &demo(), &record()).unwrap();
        for error in [
            RunFolder::open(folder.path()).unwrap_err(),
            RunFolder::create(folder.path(), &demo(), &record()).unwrap_err(),
        ] {
            assert!(matches!(error, TrainError::InUse { .. }), "{error:?}");
        }
        drop(run);
        RunFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn many_processes_that_want_a_number_at_once_get_one_each() {
        let folder = tempfile::tempdir().unwrap();
        let runs: Vec<RunFolder> = std::thread::scope(|scope| {
            let claim = || RunFolder::create_numbered(folder.path(), "demo", &demo(), &record()).unwrap();
            let claims: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
            claims.into_iter().map(|claim| claim.join().unwrap()).collect()
        });
        let mut paths: Vec<&Path> = runs.iter().map(RunFolder::path).collect();
        paths.sort();
        let numbered: Vec<PathBuf> = (1..=8).map(|n| folder.path().join(format!("demo-{n}"))).collect();
        assert_eq!(paths, numbered);
    }

    #[test]
    fn temporary_files_of_a_killed_process_are_removed_and_all_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        drop(RunFolder::create(path, &demo(), &record()).unwrap());
        let (ours, others) = (
            [".checkpoint.safetensors.a1B2c3", ".loss.png.ZZZZZZ", ".recipe.toml.000000"],
            [".checkpoint.safetensors", ".notes.txt.a1B2c3", "loss.png.a1B2c3", ".loss.png.a1B2c34"],
        );
        for name in ours.iter().chain(&others) {
            fs::write(path.join(name), "half").unwrap();
        }
        drop(RunFolder::open(path).unwrap());
        assert!(ours.iter().all(|name| !path.join(name).exists()));
        assert!(others.iter().all(|name| path.join(name).exists()));
    }

    #[test]
    fn a_record_names_no_absolute_path_and_the_photos_are_found_where_both_have_moved() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("here/photos")).unwrap();
        let record = RunRecord::here(home.join("here/photos")).by_recipe("/home/somebody/mine.toml");
        drop(RunFolder::create(home.join("here/runs/x"), &demo(), &record).unwrap());
        let written = fs::read_to_string(home.join("here/runs/x").join(RECORD)).unwrap();
        assert!(!written.contains("\"/") && written.contains("../../photos"), "{written}");
        fs::rename(home.join("here"), home.join("there")).unwrap();
        let record = RunFolder::record(&home.join("there/runs/x")).unwrap();
        assert_eq!(record.data, home.join("there/photos"));
    }
}
