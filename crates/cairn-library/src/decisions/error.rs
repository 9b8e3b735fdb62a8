//! Why decisions cannot be read or stored.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::state::StateError;

/// Why decisions cannot be read or stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// A file of decisions.
    #[error("{}: cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    State(#[from] StateError),
}

impl DecisionError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> DecisionError {
        let path = path.into();
        move |source| DecisionError::Io { path, source }
    }
}

impl From<rusqlite::Error> for DecisionError {
    fn from(error: rusqlite::Error) -> DecisionError {
        DecisionError::State(error.into())
    }
}
