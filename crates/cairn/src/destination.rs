//! Where a changed model goes.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_model::bundle_path;
use clap::Args;

use crate::model_source::ModelSource;
use crate::output::{Force, Outputs};

/// Another file, or the place of the old one; which of them must be said, since models take long to make.
#[derive(Debug, Args)]
pub(crate) struct Destination {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    force: Force,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Write the changed model to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the old model with the changed one
    #[arg(long)]
    in_place: bool,
}

impl Destination {
    /// The file for what becomes of `model`, checked: it replaces no file but by `--force`, and by `--in-place` that of
    /// the model itself, and none of the `inputs`.
    pub(crate) fn path<'a>(
        &self,
        model: &ModelSource,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<PathBuf> {
        let old = model.path().map(bundle_path).transpose()?;
        match (&self.place.out, old) {
            (Some(out), old) => {
                Outputs::files([out.clone()]).reading(inputs).reading(old.as_deref()).check(self.force)?;
                Ok(out.clone())
            }
            (None, Some(old)) => {
                Outputs::files([old.clone()]).reading(inputs).check(Force { replace: true })?;
                Ok(old)
            }
            (None, None) => {
                bail!(
                    "the built-in model cannot be changed in place: write the changed model with --out FILE"
                )
            }
        }
    }
}
