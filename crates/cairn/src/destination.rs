//! Where a changed model goes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_model::{Model, bundle_path};
use clap::Args;

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
    /// Writes `model`, which came from `opened`, and says where it is.
    pub(crate) fn write(&self, model: &Model, opened: &Path) -> Result<PathBuf> {
        let path = match &self.out {
            Some(out) => out.clone(),
            None => bundle_path(opened)?,
        };
        model.save(&path)?;
        Ok(path)
    }
}
