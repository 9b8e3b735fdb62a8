//! Why a plan is not made, carried out or taken back.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::decisions::DecisionError;
use crate::state::StateError;

/// Why a plan is not made, carried out or taken back. What concerns one file alone is in the reports.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A file of the plan or the journal.
    #[error("{}: cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A plan that ends early, was edited, or is none.
    #[error("{}: not a whole plan of cairn ({reason}); make it again with `cairn library plan`", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A plan file that is there already.
    #[error("{}: exists already; name another file with -o", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A plan of another version.
    #[error("{}: a plan of format {found}; this cairn knows format {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The plan's format.
        found: u32,
        /// The one that is known.
        known: u32,
    },
    /// No such plan in the journal.
    #[error("{0}: no plan of this name was applied with this state")]
    UnknownPlan(String),
    /// The library cannot be written to.
    #[error("{}: is mounted read-only; write sidecars elsewhere with `--to sidecar-dir --sidecar-dir DIR`", root.display())]
    ReadOnly {
        /// The library.
        root: PathBuf,
    },
    /// Estimated positions are written into sidecars alone.
    #[error(
        "estimated positions are written into sidecars only; leave out `--to embed` or `--write estimated-gps`"
    )]
    PositionsInSidecars,
    /// The folder of mirrored sidecars is in the library.
    #[error("{}: the folder of sidecars may not be in the library; name another with --sidecar-dir", path.display())]
    SidecarsInLibrary {
        /// The folder.
        path: PathBuf,
    },
    /// What a person decided.
    #[error(transparent)]
    Decisions(#[from] DecisionError),
    /// The database.
    #[error(transparent)]
    State(#[from] StateError),
}

impl PlanError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> PlanError {
        let path = path.into();
        move |source| PlanError::Io { path, source }
    }
}

impl From<rusqlite::Error> for PlanError {
    fn from(error: rusqlite::Error) -> PlanError {
        PlanError::State(error.into())
    }
}
