//! Files that were in work when cairn ended without a word.
//!
//! Each worker writes the number of its file into a place of its own before it opens the file, and 0 behind it. What is there
//! at the next start was in work when the process was killed. The writes reach the system at once, so that they outlive the
//! process; they cost a microsecond each.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{ScanError, ScanEvent, Watcher};
use crate::state::{FileId, LibraryRow, State};

/// After so many crashes a file is not tried again.
const MAX_CRASHES: i64 = 2;

/// A worker's place in the file.
pub(super) struct Place {
    file: File,
    offset: u64,
}

fn path(state: &State) -> PathBuf {
    state.folder().join("in-work")
}

impl Place {
    /// The place of the worker with this number.
    pub(super) fn of(state: &State, worker: usize) -> Result<Place, ScanError> {
        let path = path(state);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| ScanError::Crashes { path, source })?;
        Ok(Place { file, offset: worker as u64 * 8 })
    }

    /// A file is in work from here on.
    pub(super) fn begin(&mut self, file: FileId) {
        self.write(file.0);
    }

    /// It no longer is.
    pub(super) fn end(&mut self) {
        self.write(0);
    }

    /// A disk that is full stops the scan at the next commit; here it costs the count of one crash.
    fn write(&mut self, number: i64) {
        let _ = self
            .file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| self.file.write_all(&number.to_le_bytes()));
    }
}

/// Counts the crashes of what was in work at the end of the last scan, and quarantines what was there twice.
pub(super) fn count(state: &State, watcher: &mut Watcher<'_>) -> Result<(), ScanError> {
    let path = path(state);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ScanError::Crashes { path, source }),
    };
    let connection = state.connection();
    for number in bytes.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).filter(|id| *id != 0) {
        // A file whose outcome was written is not pending any more.
        connection
            .execute("UPDATE file SET crashes = crashes + 1 WHERE id = ? AND state = 'pending'", [number])?;
        let quarantined = connection.execute(
            "UPDATE file SET state = 'quarantined', reason = 'cairn ended twice while it read this file' \
             WHERE id = ? AND state = 'pending' AND crashes >= ?",
            (number, MAX_CRASHES),
        )?;
        if quarantined > 0
            && let Some(file) = state.file(FileId(number))?
        {
            (watcher.on_event)(ScanEvent::Quarantined { path: file.path });
        }
    }
    std::fs::remove_file(&path).map_err(|source| ScanError::Crashes { path, source })
}

/// Files that are quarantined are pending again.
pub(super) fn release(state: &State, library: &LibraryRow) -> Result<(), ScanError> {
    state.connection().execute(
        "UPDATE file SET state = 'pending', reason = NULL, crashes = 0 WHERE state = 'quarantined' \
         AND folder IN (SELECT id FROM folder WHERE library = ?)",
        [library.id.0],
    )?;
    Ok(())
}
