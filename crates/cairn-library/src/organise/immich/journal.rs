//! What was added to a server, a line each.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ImmichError;

/// One change of a server's albums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// An album was made.
    Made { server: String, album: String, name: String },
    /// Assets were added to an album that they were not in.
    Added { server: String, album: String, assets: Vec<String> },
}

impl Entry {
    pub(super) fn server(&self) -> &str {
        match self {
            Entry::Made { server, .. } | Entry::Added { server, .. } => server,
        }
    }
}

/// The journal in a folder of state.
pub(super) struct Journal {
    path: PathBuf,
}

impl Journal {
    pub(super) fn of(state: &Path) -> Journal {
        Journal { path: state.join("immich.jsonl") }
    }

    fn failed(&self, source: io::Error) -> ImmichError {
        ImmichError::Journal { path: self.path.clone(), source }
    }

    /// Adds a line, which is on the disk before this returns.
    pub(super) fn add(&self, entry: &Entry) -> Result<(), ImmichError> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            writeln!(file, "{}", serde_json::to_string(entry)?)?;
            file.sync_all()
        };
        write().map_err(|source| self.failed(source))
    }

    /// All lines. A last line that a crash cut is left out: what it says was not in the journal.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, ImmichError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Keeps only these lines.
    pub(super) fn keep(&self, entries: &[Entry]) -> Result<(), ImmichError> {
        let write = || -> io::Result<()> {
            let temporary = self.path.with_extension("tmp");
            let mut file = File::create(&temporary)?;
            for entry in entries {
                writeln!(file, "{}", serde_json::to_string(entry)?)?;
            }
            file.sync_all()?;
            fs::rename(&temporary, &self.path)
        };
        write().map_err(|source| self.failed(source))
    }
}
