//! Options that name the state and the library of a verb.

use std::path::PathBuf;

use anyhow::{Context, Result};
use cairn_library::state::{LibraryRow, State, default_folder};
use clap::{Args, ValueHint};

/// The state of a verb.
#[derive(Debug, Args)]
pub(crate) struct StateOption {
    /// Folder of what cairn knows about libraries, on a local disk [default: in the user's data folder]
    #[arg(long, value_name = "DIR", env = "CAIRN_STATE", value_hint = ValueHint::DirPath)]
    state: Option<PathBuf>,
}

impl StateOption {
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let folder = self.state.clone().or_else(default_folder);
        folder.context("the system names no data folder; name a folder for the state with --state")
    }
}

/// The state and the library of a verb.
#[derive(Debug, Args)]
pub(crate) struct StateOptions {
    #[command(flatten)]
    pub state: StateOption,
    /// The library, by its folder, where the state holds several
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath)]
    library: Option<PathBuf>,
}

impl StateOptions {
    /// The state that a scan made, and the library.
    pub(crate) fn open(&self) -> Result<(State, LibraryRow)> {
        let state = State::open_existing(&self.state.folder()?)?;
        let library = state.library(self.library.as_deref())?;
        Ok((state, library))
    }
}
