//! What a scan is told, and what it tells.

use std::path::PathBuf;

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
