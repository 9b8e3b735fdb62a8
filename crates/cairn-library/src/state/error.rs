//! Why the state cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// There is none.
    #[error("{}: no library has been scanned into this state; run `cairn library scan FOLDER` first", path.display())]
    Missing {
        /// The folder of state.
        path: PathBuf,
    },
    /// The folder of state, or a file in it.
    #[error("{}: cannot be used as the folder of state; name another with --state", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite's shared memory does not work over a network.
    #[error("{}: the state must be on a local disk, and this is {kind}; name a local folder with --state", path.display())]
    Network {
        /// The folder of state.
        path: PathBuf,
        /// The file system.
        kind: String,
    },
    /// The state would be part of what is scanned.
    #[error("{}: the state may not be in the library {}; name another folder with --state", path.display(), root.display())]
    InLibrary {
        /// The folder of state.
        path: PathBuf,
        /// The library.
        root: PathBuf,
    },
    /// A newer cairn made it.
    #[error("{}: this state is of version {version}, and this cairn knows version {known}; use a newer cairn", path.display())]
    Newer {
        /// The folder of state.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// The newest that is known.
        known: i64,
    },
    /// Another process works with it.
    #[error("{}: another cairn is scanning or writing with this state; wait until it has ended", path.display())]
    Locked {
        /// The folder of state.
        path: PathBuf,
    },
    /// A root that is no folder.
    #[error("{}: is no folder that can be read", path.display())]
    Root {
        /// The root of the library.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A library in a library: a file would have two states.
    #[error("{}: is in the library {}, or holds it; scan one of the two", root.display(), library.display())]
    Nested {
        /// What was to be added.
        root: PathBuf,
        /// The library that is there.
        library: PathBuf,
    },
    /// No library of this root.
    #[error("{}: this library has not been scanned; run `cairn library scan` on it first{}", root.display(), known(libraries))]
    UnknownLibrary {
        /// What was asked for.
        root: PathBuf,
        /// The roots that are known.
        libraries: Vec<PathBuf>,
    },
    /// Several libraries, and none named.
    #[error("this state holds several libraries; name one with --library{}", known(libraries))]
    WhichLibrary {
        /// The roots that are known.
        libraries: Vec<PathBuf>,
    },
    /// A value in the database that means nothing.
    #[error("the database holds `{value}` where {what} should be; it is damaged")]
    Value {
        /// What was expected.
        what: &'static str,
        /// What was there.
        value: String,
    },
    /// SQLite's own.
    #[error("the database of the library: {0}")]
    Database(#[from] rusqlite::Error),
}

fn known(libraries: &[PathBuf]) -> String {
    let names: Vec<String> = libraries.iter().map(|root| root.display().to_string()).collect();
    if names.is_empty() { String::new() } else { format!(" (known: {})", names.join(", ")) }
}
