//! Why a server does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::served_model::OpenError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The limits contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The model cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The folder of corrections cannot be made or read.
    #[error("{}: corrections cannot be kept here (--feedback)", cairn_dataset::path_text(folder))]
    Feedback {
        /// The folder.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Threads cannot be started.
    #[error("threads cannot be started")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The system gives no runtime for connections, or no signals.
    #[error("the server cannot be set up")]
    System(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("{address}: cannot listen here; is another server running? Choose another --address")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}
