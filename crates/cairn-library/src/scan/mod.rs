//! From a folder to files, groups of one shot, readings and predictions.
//!
//! A scan has two steps. The walk compares each folder with what is known of it and marks new and changed files as
//! pending; then workers read each pending file once, and one thread writes what they found. Both steps write in small
//! transactions, so that a scan that is killed goes on where it was.

mod budget;
mod crashes;
mod error;
mod exclude;
mod grouping;
mod ordinal;
mod position;
mod reader;
mod settings;
mod takeout;
#[cfg(test)]
mod tests;
mod walk;
mod work;

pub use error::ScanError;
pub use exclude::Exclude;
pub use reader::payload_hash;
pub use settings::LibrarySettings;
pub(crate) use settings::set_model;

use std::path::{Path, PathBuf};

use cairn_model::Model;
use cairn_model::rows::ModelIdentity;

use crate::state::{LibraryRow, ModelRow, State, StateLock};

/// How a library is scanned.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// Threads that read files and look at photos; 0 for one for each processor core.
    pub jobs: usize,
    /// Files and folders that are left out.
    pub exclude: Vec<Exclude>,
    /// Reads every file again, also where it is known to be unchanged.
    pub rehash: bool,
    /// Tries files again that were in work in two crashes.
    pub retry_quarantined: bool,
}

/// A model, and what rows call it.
#[derive(Clone, Debug)]
pub struct ScanModel {
    /// The model. It computes on the scan's own threads.
    pub model: Model,
    /// What rows call it.
    pub identity: ModelIdentity,
}

impl ScanModel {
    /// As the database has it.
    fn row(&self) -> ModelRow {
        let rejection = self.model.info().rejection;
        ModelRow {
            hash: self.identity.digest.clone(),
            views: format!("{:?}", self.model.views()).to_lowercase(),
            name: self.identity.name.clone(),
            score: rejection.map(|rejection| format!("{:?}", rejection.score).to_lowercase()),
            threshold: rejection.map(|rejection| rejection.threshold),
            sure: rejection.and_then(|rejection| rejection.sure),
        }
    }
}

/// What happens during a scan.
#[derive(Clone, Debug, PartialEq)]
pub enum ScanEvent {
    /// So many files and folders left out were walked so far.
    Walking {
        /// Files.
        files: u64,
    },
    /// The walk is done.
    Walked {
        /// Files and folders left out.
        files: u64,
        /// Files that are to be read.
        to_read: u64,
    },
    /// So many files were read.
    Reading {
        /// Done.
        done: u64,
        /// Of these.
        total: u64,
        /// Bytes that were read.
        bytes: u64,
    },
    /// A photo cannot be read.
    Unreadable {
        /// The photo, from the library's root.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file was in work in two crashes and is not tried again.
    Quarantined {
        /// The file, from the library's root.
        path: PathBuf,
    },
}

/// What a scan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Files and folders left out that were walked.
    pub walked: u64,
    /// Files that were new or changed.
    pub changed: u64,
    /// Files that were there before and are no longer.
    pub gone: u64,
    /// Files that were read.
    pub read: u64,
    /// Of these, photos that cannot be read.
    pub unreadable: u64,
    /// Whether somebody asked for a stop. The same scan goes on where it was.
    pub interrupted: bool,
}

/// What a scan is told, and what it tells.
pub struct Watcher<'a> {
    /// Called with what happens, on the thread that scans.
    pub on_event: &'a mut dyn FnMut(ScanEvent),
    /// Asked often whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Scans the library at `root`, which is added to the state if it is new. Nothing in it is written.
///
/// # Errors
/// When `root` is no folder or the state cannot be written. Files that cannot be read are no error: they are counted.
pub fn scan(
    state: &State,
    _lock: &StateLock,
    root: &Path,
    model: Option<&ScanModel>,
    options: &ScanOptions,
    watcher: &mut Watcher<'_>,
) -> Result<(LibraryRow, ScanReport), ScanError> {
    let library = state.add_library(root)?;
    crashes::count(state, watcher)?;
    if options.retry_quarantined {
        crashes::release(state, &library)?;
    }
    if options.rehash {
        walk::forget_stamps(state, &library)?;
    }
    let mut report = walk::walk(state, &library, options, watcher)?;
    if !report.interrupted {
        let model = match model {
            Some(model) => {
                let id = state.add_model(&model.row())?;
                set_model(state, library.id, id)?;
                Some((model, id))
            }
            None => None,
        };
        work::work(state, &library, model, options, watcher, &mut report)?;
    }
    Ok((library, report))
}
