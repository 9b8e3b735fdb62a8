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
mod member;
mod options;
mod ordinal;
mod position;
mod reader;
mod settings;
mod takeout;
#[cfg(test)]
mod tests;
mod walk;
mod watcher;
mod work;

pub use error::ScanError;
pub use exclude::Exclude;
pub use options::{ScanModel, ScanOptions};
pub use reader::payload_hash;
pub use settings::LibrarySettings;
pub(crate) use settings::set_model;
pub use watcher::{ScanEvent, ScanReport, Watcher};

use std::path::Path;

use crate::state::{LibraryRow, State, StateLock};

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
