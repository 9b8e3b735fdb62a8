//! Compares the journal with the files.

use std::path::{Path, PathBuf};

use crate::embed::Metadata;
use crate::state::{FileHash, OpState, State, StateLock};
use crate::xmp::Packet;

use super::install::hash_of;
use super::journal::Journal;
use super::mark::marks_in;
use super::recover::recover;
use super::{Op, OpKind, PlanError, Work};

/// What is the matter with a file that a plan wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is gone.
    Gone,
    /// Another program changed it, and the mark is in it still.
    ChangedWithMark,
    /// Another program changed it, and the mark is no longer in it.
    ChangedWithoutMark,
    /// It cannot be read.
    Unreadable(String),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Files that hold what was written, to the byte.
    pub as_written: u32,
    /// The others.
    pub findings: Vec<(PathBuf, Finding)>,
    /// Temporary files of an earlier crash that hold what cairn did not write; look at them.
    pub kept: Vec<PathBuf>,
}

/// Says what is wrong with the picture of a photo, if anything is.
pub type Decode<'a> = dyn Fn(&Path) -> Result<(), String> + 'a;

/// Compares what the journal says with the files, of one plan or of all. `decode` is called with each photo that was written
/// into and says what is wrong with its picture, if anything is.
///
/// # Errors
/// When the state cannot be used or there is no such plan.
pub fn verify(
    state: &State,
    lock: &StateLock,
    plan: Option<&str>,
    decode: Option<&Decode<'_>>,
) -> Result<VerifyReport, PlanError> {
    let mut report = VerifyReport { kept: recover(state, lock)?, ..VerifyReport::default() };
    let mut plans: Vec<Journal> = match plan {
        Some(plan) => vec![Journal::open(state, plan)?],
        None => {
            Journal::plans(state)?.iter().map(|plan| Journal::open(state, plan)).collect::<Result<_, _>>()?
        }
    };
    // A file that several plans changed is as the last of them left it.
    plans.sort_by_key(|journal| std::cmp::Reverse((journal.header.made, journal.header.plan.clone())));
    let mut seen = std::collections::HashSet::new();
    for journal in &plans {
        for seq in journal.in_state(OpState::Done) {
            let op = journal.op(seq)?;
            if !seen.insert(op.target.clone()) {
                continue;
            }
            match finding(&op, decode) {
                None => report.as_written += 1,
                Some(finding) => report.findings.push((op.target, finding)),
            }
        }
    }
    Ok(report)
}

fn finding(op: &Op, decode: Option<&Decode<'_>>) -> Option<Finding> {
    let wanted: FileHash = match &op.work {
        Work::Write(write) => write.after,
        Work::Place { hash, .. } => *hash,
    };
    match hash_of(&op.target) {
        Err(error) => Some(Finding::Unreadable(error.to_string())),
        Ok(None) => Some(Finding::Gone),
        Ok(Some(hash)) if hash == wanted => {
            let broken =
                decode.filter(|_| op.kind == OpKind::Embed).and_then(|decode| decode(&op.target).err());
            broken.map(Finding::Unreadable)
        }
        Ok(Some(_)) => Some(match has_mark(op) {
            Ok(true) => Finding::ChangedWithMark,
            Ok(false) => Finding::ChangedWithoutMark,
            Err(reason) => Finding::Unreadable(reason),
        }),
    }
}

fn has_mark(op: &Op) -> Result<bool, String> {
    let bytes = std::fs::read(&op.target).map_err(|error| error.to_string())?;
    let packet = match op.kind {
        OpKind::Embed => Metadata::of(&bytes).map_err(|error| error.to_string())?.xmp,
        OpKind::Create | OpKind::Edit => Some(bytes),
        _ => None,
    };
    let Some(packet) = packet else { return Ok(false) };
    let marks =
        Packet::parse(&packet).and_then(|packet| marks_in(&packet)).map_err(|error| error.to_string())?;
    Ok(!marks.is_empty())
}
