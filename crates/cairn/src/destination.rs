//! Where a changed model goes.

use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_model::bundle_path;
use clap::Args;

use crate::model_source::ModelSource;

/// Another file, or the place of the old one; which of them must be said, since models take long to make.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Destination {
    /// Write the changed model to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Put the changed model in the place of the old one
    #[arg(long)]
    in_place: bool,
}

impl Destination {
    /// The file for what becomes of `model`.
    pub(crate) fn path(&self, model: &ModelSource) -> Result<PathBuf> {
        match (&self.out, model.path()) {
            (Some(out), _) => Ok(out.clone()),
            (None, Some(old)) => Ok(bundle_path(old)?),
            (None, None) => {
                bail!("the model that comes with cairn stays as it is: --out FILE takes the changed one")
            }
        }
    }
}
