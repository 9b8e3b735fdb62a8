//! The status of a sweep's run, so that a sweep that is started again skips what is done.

use std::path::Path;

use super::error::SweepError;
use super::plan::SweepRun;
use crate::recipe::Recipe;
use crate::recipe::recipe_diff::recipe_diff;
use crate::run::run_folder::RunFolder;
use crate::run::runs::Run;

/// The status of a sweep's run.
#[derive(Debug)]
pub enum SweepStatus {
    /// It has not begun.
    Missing,
    /// It was interrupted; this resolved recipe continues it.
    Begun(RunFolder, Box<Recipe>),
    /// It has ended, also if it diverged.
    Ended(Box<Run>),
}

/// Recipe keys whose words are replaced by figures when a run begins.
const RESOLVED: [&str; 2] = ["photos.normalisation", "training.precision"];

impl SweepRun {
    /// The status of the run in the sweep's folder.
    ///
    /// # Errors
    /// When its folder cannot be read, or holds a run by another recipe or on other photos than those in `data`.
    pub fn status(&self, sweep: &Path, data: &Path) -> Result<SweepStatus, SweepError> {
        let path = sweep.join(&self.folder);
        // A run that diverged before it had anything to write has ended all the same.
        let has_ended = || RunFolder::record(&path).is_some_and(|record| record.ended.is_some());
        if !RunFolder::is_taken(&path) && !has_ended() {
            return Ok(SweepStatus::Missing);
        }
        let run = Run::read(&path)?;
        let changed = |what: &str| SweepError::Changed { path: path.clone(), what: what.to_owned() };
        let differing = recipe_diff(&[&run.recipe, &self.recipe])
            .map_err(|source| SweepError::Recipe { run: self.name.clone(), source })?;
        let resolved = |key: &str| RESOLVED.iter().any(|resolved| key.starts_with(resolved));
        if let Some(difference) = differing.iter().find(|difference| !resolved(&difference.key)) {
            return Err(changed(&difference.key));
        }
        if run.record.data != data {
            return Err(changed("data set"));
        }
        if run.record.ended.is_some() {
            return Ok(SweepStatus::Ended(Box::new(run)));
        }
        let (folder, recipe, _) = RunFolder::open(path)?;
        Ok(SweepStatus::Begun(folder, Box::new(recipe)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::run::record::{RunRecord, StopReason};

    #[test]
    fn a_run_that_diverged_before_it_wrote_anything_has_ended_and_one_that_did_not_begin_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let data = home.join("photos");
        std::fs::create_dir(&data).unwrap();
        let recipe = Recipe::find("demo").unwrap();
        let run =
            SweepRun { name: "a".into(), folder: "a".into(), values: Vec::new(), recipe: recipe.clone() };
        let status = || run.status(&home, &data).unwrap();
        assert!(matches!(status(), SweepStatus::Missing));
        let begun = RunFolder::create(home.join("a"), &recipe, &RunRecord::here(data.clone())).unwrap();
        assert!(matches!(status(), SweepStatus::Missing), "nothing of it is worth keeping");
        begun.note_end(Some(StopReason::Diverged)).unwrap();
        drop(begun);
        let SweepStatus::Ended(ended) = status() else { panic!("it is not known to have ended") };
        assert_eq!(ended.record.ended, Some(StopReason::Diverged));
        assert!(ended.history.epochs().is_empty());
    }
}
