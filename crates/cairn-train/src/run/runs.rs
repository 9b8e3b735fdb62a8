//! Runs read from their folders, to be listed and compared.

use std::path::{Path, PathBuf};

use cairn_eval::RunCurves;
use walkdir::WalkDir;

use crate::TrainError;
use crate::recipe::Recipe;
use crate::run::history::History;
use crate::run::record::RunRecord;
use crate::run::run_folder::RunFolder;

/// A run, as read from its folder. It may still be training.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The run folder.
    pub path: PathBuf,
    /// The recipe as it was resolved.
    pub recipe: Recipe,
    /// Its record.
    pub record: RunRecord,
    /// The epochs so far.
    pub history: History,
}

impl Run {
    /// Reads the run in the folder `path`.
    ///
    /// # Errors
    /// When a file of the run is missing or damaged; the error names it.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let folder = RunFolder::at(path);
        Ok(Self {
            path: path.to_owned(),
            recipe: folder.read_recipe()?,
            record: folder.read_record()?,
            history: folder.read_history()?,
        })
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Training photos a second over all epochs, loading included, validation not; `None` before the first epoch's end.
    pub fn photos_per_second(&self) -> Option<f64> {
        let epochs = self.history.epochs();
        let seconds: f64 = epochs.iter().map(|epoch| epoch.train_seconds).sum();
        let photos: f64 = epochs.iter().map(|epoch| epoch.photos_per_second * epoch.train_seconds).sum();
        (seconds > 0.0).then(|| photos / seconds)
    }

    /// Its validation curves under this name, for a chart of several runs.
    pub fn curves(&self, name: impl Into<String>) -> RunCurves {
        let epochs = self.history.epochs();
        RunCurves {
            name: name.into(),
            valid_loss: epochs.iter().map(|epoch| epoch.valid_loss).collect(),
            valid_accuracy: epochs.iter().map(|epoch| epoch.valid_accuracy).collect(),
        }
    }
}

/// Largest depth of run folders below the listed folder: those of a sweep in a folder of sweeps.
const DEEPEST: usize = 3;

/// The runs in and below the folder `parent`, sorted by path, with an error for each run that cannot be read.
///
/// # Errors
/// When `parent` cannot be read itself.
pub fn runs_in(parent: &Path) -> Result<Vec<Result<Run, TrainError>>, TrainError> {
    std::fs::read_dir(parent).map_err(|source| TrainError::Read { path: parent.to_owned(), source })?;
    let mut runs = Vec::new();
    let mut folders = WalkDir::new(parent).max_depth(DEEPEST).sort_by_file_name().into_iter();
    while let Some(entry) = folders.next() {
        // A folder below that may not be entered holds no run that could be listed.
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_dir() && RunFolder::holds_run(entry.path()) {
            runs.push(Run::read(entry.path()));
            folders.skip_current_dir();
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn make_run(path: &Path) {
        let recipe = Recipe::find("demo").unwrap();
        RunFolder::create(path, &recipe, &RunRecord::here("photos".into()).by_recipe("demo")).unwrap();
    }

    #[test]
    fn runs_are_found_below_a_folder_in_order_and_other_folders_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for run in ["b", "a", "sweep/x/seed-1"] {
            make_run(&folder.path().join(run));
        }
        fs::create_dir(folder.path().join("notes")).unwrap();
        fs::write(folder.path().join("notes/thesis.txt"), "mine").unwrap();
        let runs = runs_in(folder.path()).unwrap();
        let names: Vec<String> = runs.iter().map(|run| run.as_ref().unwrap().name()).collect();
        assert_eq!(names, ["a", "b", "seed-1"]);
    }

    #[test]
    fn a_broken_run_is_an_error_that_names_its_file_and_the_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for run in ["a", "b", "c", "d"] {
            make_run(&folder.path().join(run));
        }
        fs::write(folder.path().join("a/metrics.jsonl"), "{\"epoch\": 1,").unwrap();
        fs::write(folder.path().join("b/recipe.toml"), "[network]\n").unwrap();
        fs::rename(folder.path().join("c/run.json"), folder.path().join("c/metrics.jsonl")).unwrap();
        let runs = runs_in(folder.path()).unwrap();
        for (run, file) in runs.iter().zip(["metrics.jsonl", "recipe.toml", "run.json"]) {
            let message = run.as_ref().unwrap_err().to_string();
            assert!(message.contains(file), "{message} should name {file}");
        }
        assert!(runs[3].is_ok());
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let error = runs_in(Path::new("no/such/folder")).unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
    }
}
