//! `cairn library`

pub(crate) mod apply;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod immich;
pub(crate) mod organise;
pub(crate) mod plan;
pub(crate) mod review;
pub(crate) mod scan;
pub(crate) mod scan_progress;
pub(crate) mod status;
pub(crate) mod undo;
pub(crate) mod verify;

use std::path::PathBuf;

use anyhow::{Context, Result};
use cairn_library::state::{LibraryRow, State, default_folder};
use clap::{Args, Subcommand, ValueHint};

use crate::exit::Status;

/// Find the landmarks in a whole photo library
///
/// `scan` reads the photos, `status` says what was found, `export` writes reports and tables, `review` asks, `plan` and `diff` say
/// what would be written. None of them writes into the library: what cairn knows is kept in a folder of its own (--state). Only
/// `apply` and `undo` write.
#[derive(Debug, Subcommand)]
pub(crate) enum Library {
    Scan(scan::Scan),
    Status(status::ShowStatus),
    Review(review::ReviewPhotos),
    Plan(plan::MakePlan),
    Diff(diff::Diff),
    Apply(apply::Apply),
    Undo(undo::Undo),
    Verify(verify::Verify),
    Export(export::Export),
    Organise(organise::Organise),
}

impl Library {
    pub(crate) fn run(self) -> Result<Status> {
        match self {
            Self::Scan(scan) => scan.run(),
            Self::Status(status) => status.run(),
            Self::Review(review) => review.run(),
            Self::Plan(plan) => plan.run(),
            Self::Diff(diff) => diff.run(),
            Self::Apply(apply) => apply.run(),
            Self::Undo(undo) => undo.run(),
            Self::Verify(verify) => verify.run(),
            Self::Export(export) => export.run(),
            Self::Organise(organise) => organise.run(),
        }
    }
}

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

/// A share as people write it: `1/200`, `0.5%` or `0.005`.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((one, of)), _) => number(one).zip(number(of)).map(|(one, of)| one / of),
        (None, Some(percent)) => number(percent).map(|percent| percent / 100.0),
        (None, None) => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share between 0 and 1, such as 1/200, 0.5% or 0.005".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_in_three_ways() {
        for text in ["1/200", "0.5%", "0.005"] {
            assert_eq!(parse_share(text), Ok(0.005), "{text}");
        }
        for text in ["", "2", "-1", "1/0", "x", "101%"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }
}
