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
mod share;
mod state_options;
pub(crate) mod status;
pub(crate) mod undo;
pub(crate) mod verify;

use anyhow::Result;
use clap::Subcommand;

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
