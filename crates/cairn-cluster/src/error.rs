//! Why a cluster does not label.

use std::error::Error;
use std::io;

use cairn_label::{LabelError, StoreError};

/// Why a scheduler or an executor does not run, or a list is not labelled by them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The output, or the lists.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A file of places.
    #[error("{path}: cannot be read")]
    Places {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// An executor cannot do what it is asked for, however often.
    #[error("{0}")]
    Refused(String),
    /// An address is taken, or not this machine's.
    #[error("{address}: cannot be listened on")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The scheduler does not answer.
    #[error(
        "{scheduler}: the scheduler does not answer ({reason}); start it by `cairn cluster scheduler`; the same command \
         goes on"
    )]
    Unreachable {
        /// Its address.
        scheduler: String,
        /// What the network says.
        reason: String,
    },
    /// The engine cannot go on.
    #[error("the engine of the cluster fails: {0}")]
    Engine(String),
    /// The system gives no threads, sockets or temporary folder.
    #[error("cannot be started")]
    System(#[from] io::Error),
}

impl From<StoreError> for ClusterError {
    fn from(error: StoreError) -> Self {
        Self::Label(error.into())
    }
}

/// Why an executor has not done its shards.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It cannot, however often it is asked: another model, another list, a disk that it does not see.
    #[error("{0}")]
    Refused(String),
    /// It cannot now: a disk or a network that fails.
    #[error("{0}")]
    Passing(String),
    /// Somebody wants it to stop.
    #[error("stopped")]
    Stopped,
}

/// An error and its causes in one line.
pub(crate) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        // Transparent errors say what their causes say.
        if !words.ends_with(&said) {
            words = format!("{words}: {said}");
        }
        cause = next.source();
    }
    words
}
