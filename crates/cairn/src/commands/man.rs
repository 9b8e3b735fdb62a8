//! `cairn man`

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};

use crate::arguments::Arguments;
use crate::exit::Status;

/// Write the manual pages into a folder
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; made if it is not there
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<Status> {
        let failed = || format!("{}: cannot be written", self.folder.display());
        fs::create_dir_all(&self.folder).with_context(failed)?;
        clap_mangen::generate_to(Arguments::command(), &self.folder).with_context(failed)?;
        Ok(Status::Done)
    }
}
