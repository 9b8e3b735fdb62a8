//! Why albums cannot be planned.

use std::io;
use std::path::PathBuf;

use crate::plan::PlanError;
use crate::state::StateError;

/// Why albums cannot be planned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrganiseError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The albums would be part of the library, or the library of the albums.
    #[error("{}: albums may not be in the library {}, or around it; name another folder", destination.display(), root.display())]
    Inside {
        /// Where the albums should be.
        destination: PathBuf,
        /// The library.
        root: PathBuf,
    },
    /// A move across file systems would have to delete.
    #[error(
        "{}: is on another file system than the library, where files cannot be moved, only copied (cairn deletes no photo)",
        destination.display()
    )]
    OtherFileSystem {
        /// Where the albums should be.
        destination: PathBuf,
    },
    /// The folder for the albums.
    #[error("{}: cannot be looked at; make the folder first", destination.display())]
    Destination {
        /// Where the albums should be.
        destination: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
