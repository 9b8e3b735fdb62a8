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
        if !RunFolder::is_taken(&path) {
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
