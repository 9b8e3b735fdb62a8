//! Why a library cannot be scanned.

use std::io;
use std::path::PathBuf;

use crate::state::StateError;

/// Why a library cannot be scanned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The file that names what is in work.
    #[error("{}: cannot be written", path.display())]
    Crashes {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("the threads cannot be started")]
    Threads(#[source] io::Error),
}

impl From<rusqlite::Error> for ScanError {
    fn from(error: rusqlite::Error) -> ScanError {
        ScanError::State(error.into())
    }
}
