//! Plans and their operations, as they are carried out.

use std::path::PathBuf;

use super::words::words;
use super::{FileHash, FileId, LibraryId};

/// A plan that was applied, or begun to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// The plan's own identifier.
    pub id: String,
    /// The library that it is for.
    pub library: LibraryId,
    /// Of the plan's file.
    pub plan_hash: FileHash,
    /// Where that file was.
    pub path: PathBuf,
    /// When it was made, seconds since 1970.
    pub made: i64,
}

/// How far an operation got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OpState {
    /// Not begun.
    Planned,
    /// In the journal; the file may or may not be changed.
    Intent,
    /// The file is changed.
    Done,
    /// The file is as it was before.
    Undone,
    /// Left alone; the error says why.
    Skipped,
    /// Another program changed the file; left alone.
    Foreign,
}

words!(OpState, "state of an operation" {
    Planned = "planned",
    Intent = "intent",
    Done = "done",
    Undone = "undone",
    Skipped = "skipped",
    Foreign = "foreign",
});

/// One operation of a plan: one file that is written, made or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpRow {
    /// The plan.
    pub plan: String,
    /// Its place in the plan, from 0.
    pub seq: u32,
    /// What kind of operation it is.
    pub kind: String,
    /// The photo that it is about.
    pub file: Option<FileId>,
    /// The file that is written.
    pub target: PathBuf,
    /// Of the target before; `None` where it is new.
    pub before_hash: Option<FileHash>,
    /// Of the target after.
    pub after_hash: Option<FileHash>,
    /// The byte ranges that are replaced.
    pub edits: Option<Vec<u8>>,
    /// Where its line is in the journal's file.
    pub journal_offset: Option<u64>,
    /// The target's time of change before, nanoseconds since 1970.
    pub mtime_before_ns: Option<i64>,
    /// How far it got.
    pub state: OpState,
    /// What went wrong.
    pub error: Option<String>,
}
