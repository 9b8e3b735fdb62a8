//! How far a run of a sweep has come: what a sweep that is started again need not do again.

use std::path::Path;

use super::{SweepError, SweepRun};
use crate::differences::differences;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::runs::Run;

/// How far a run of a sweep has come.
#[derive(Debug)]
pub enum SweepStanding {
    /// It is to be begun.
    Missing,
    /// It was stopped before its end, and goes on by this recipe, which is resolved.
    Begun(RunFolder, Box<Recipe>),
    /// It has come to its end, by itself or because it diverged.
    Ended(Box<Run>),
}

/// What is put in place of a recipe's words when a run begins.
const RESOLVED: [&str; 2] = ["photos.normalisation", "training.precision"];

impl SweepRun {
    /// How far the run has come in the sweep's folder.
    ///
    /// # Errors
    /// When its folder cannot be read, or holds a run by another recipe or on other photos than those in `data`.
    pub fn standing(&self, sweep: &Path, data: &Path) -> Result<SweepStanding, SweepError> {
        let path = sweep.join(&self.folder);
        if !RunFolder::is_taken(&path) {
            return Ok(SweepStanding::Missing);
        }
        let run = Run::read(&path)?;
        let changed = |what: &str| SweepError::Changed { path: path.clone(), what: what.to_owned() };
        let differing = differences(&[&run.recipe, &self.recipe])
            .map_err(|source| SweepError::Recipe { run: self.name.clone(), source })?;
        let resolved = |key: &str| RESOLVED.iter().any(|resolved| key.starts_with(resolved));
        if let Some(difference) = differing.iter().find(|difference| !resolved(&difference.key)) {
            return Err(changed(&difference.key));
        }
        if run.record.data != data {
            return Err(changed("data set"));
        }
        if run.record.ended.is_some() {
            return Ok(SweepStanding::Ended(Box::new(run)));
        }
        let (folder, recipe, _) = RunFolder::open(path)?;
        Ok(SweepStanding::Begun(folder, Box::new(recipe)))
    }
}
