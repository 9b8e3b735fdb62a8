//! After a crash: what was begun is told apart by the hashes of the files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Splice;
use crate::state::{OpState, State, StateLock};

use super::install::{exchange, hash_of, old_name, rename_to_new};
use super::journal::{Direction, Intent, Journal};
use super::mark::without_marks;
use super::{Op, OpKind, PlanError, Work};

/// Settles what a crash left of any plan, and rebuilds the database's rows from the journals if they are lost. Returns the
/// temporary files that hold neither a planned nor an earlier content, which are kept.
///
/// # Errors
/// When a journal cannot be read or a file not be looked at.
pub fn recover(state: &State, _lock: &StateLock) -> Result<Vec<PathBuf>, PlanError> {
    let mut kept = Vec::new();
    for plan in Journal::unfinished(state)? {
        let mut journal = Journal::open(state, &plan)?;
        for seq in journal.in_state(OpState::Intent) {
            let op = journal.op(seq)?;
            let Some(intent) = journal.entry(seq).and_then(|entry| entry.intent.clone()) else { continue };
            let temporary = temporary_name(&op, &plan);
            let settled = settle(&op, &intent, &temporary, &mut kept).map_err(PlanError::io(&op.target))?;
            journal.end_op(seq, settled, None)?;
        }
        // Work that was done, but whose old file was not removed yet.
        for seq in journal.in_state(OpState::Done).into_iter().chain(journal.in_state(OpState::Undone)) {
            let op = journal.op(seq)?;
            let temporary = temporary_name(&op, &plan);
            if let Some(intent) = journal.entry(seq).and_then(|entry| entry.intent.clone())
                && temporary.symlink_metadata().is_ok()
            {
                let settled =
                    settle(&op, &intent, &temporary, &mut kept).map_err(PlanError::io(&op.target))?;
                journal.end_op(seq, settled, None)?;
            }
        }
        journal.close_work(state)?;
    }
    for plan in Journal::plans(state)? {
        let known: bool = state.connection().query_row(
            "SELECT EXISTS (SELECT 1 FROM plan WHERE id = ?)",
            [&plan],
            |row| row.get(0),
        )?;
        if !known {
            Journal::open(state, &plan)?.mirror(state)?;
        }
    }
    Ok(kept)
}

/// The temporary file of an operation: a short name, so that it fits beside the longest.
pub(super) fn temporary_name(op: &Op, plan: &str) -> PathBuf {
    let digits = plan.rsplit('-').next().unwrap_or(plan);
    op.target.with_file_name(format!(".cairn-{digits}-{}.tmp", op.seq))
}

/// Tells by the hashes how far an operation got, and puts the folder in order.
fn settle(op: &Op, intent: &Intent, temporary: &Path, kept: &mut Vec<PathBuf>) -> io::Result<OpState> {
    let (finished, unfinished) = match intent.direction {
        Direction::Apply => (OpState::Done, OpState::Planned),
        Direction::Undo => (OpState::Undone, OpState::Done),
    };
    if matches!(op.kind, OpKind::Move | OpKind::Copy | OpKind::SymbolicLink | OpKind::HardLink) {
        return settle_place(op, intent, temporary, finished, unfinished);
    }
    let (from, to) = (intent.from(), intent.to());
    let old = old_name(temporary);
    if let Some(hash) = hash_of(&old)? {
        // Crashed while names could not be exchanged: the old file has a second name.
        let target = hash_of(&op.target)?;
        match Some(hash) == from {
            true => fs::remove_file(&old)?,
            // Changed by another program just before it was replaced: it comes back.
            false if target == to => fs::rename(&old, &op.target)?,
            false => kept.push(old),
        }
    }
    let mut target = hash_of(&op.target)?;
    match hash_of(temporary)? {
        None => {}
        Some(hash) if Some(hash) == from && target != from => {
            fs::remove_file(temporary)?;
            // The names were exchanged, whatever became of the new file since.
            return Ok(finished);
        }
        Some(hash) if Some(hash) == from || Some(hash) == to => fs::remove_file(temporary)?,
        Some(_) if target == from && is_beginning(op, intent, temporary)? => fs::remove_file(temporary)?,
        // What another program wrote was exchanged: it goes back.
        Some(_) if target == to && to.is_some() => {
            exchange(&op.target, temporary)?;
            fs::remove_file(temporary)?;
            return Ok(OpState::Foreign);
        }
        Some(_) if target.is_none() => {
            rename_to_new(temporary, &op.target)?;
            target = hash_of(&op.target)?;
        }
        Some(_) => kept.push(temporary.to_owned()),
    }
    Ok(match target {
        target if target == to => finished,
        target if target == from => unfinished,
        _ => OpState::Foreign,
    })
}

/// Whether a temporary file is the beginning of what was to be written, cut off by the crash.
fn is_beginning(op: &Op, intent: &Intent, temporary: &Path) -> io::Result<bool> {
    let Work::Write(write) = &op.work else { return Ok(false) };
    let part = fs::read(temporary)?;
    let before = if intent.from().is_some() { fs::read(&op.target)? } else { Vec::new() };
    let whole = match intent.direction {
        Direction::Apply => Splice::apply(&before, &write.splices),
        Direction::Undo if intent.from() == Some(write.after) => {
            Splice::apply(&before, &Splice::inverse(&write.splices))
        }
        Direction::Undo => without_marks(op.kind, &before, &write.wrote, &write.copied).ok(),
    };
    Ok(whole.is_some_and(|whole| whole.starts_with(&part)))
}

fn settle_place(
    op: &Op,
    intent: &Intent,
    temporary: &Path,
    finished: OpState,
    unfinished: OpState,
) -> io::Result<OpState> {
    let Work::Place { source, .. } = &op.work else { return Ok(unfinished) };
    // A copy that was cut off; sources are never touched by copies.
    if op.kind == OpKind::Copy && temporary.symlink_metadata().is_ok() {
        fs::remove_file(temporary)?;
    }
    let is_there = match op.kind {
        OpKind::Move => source.symlink_metadata().is_err() && op.target.symlink_metadata().is_ok(),
        _ => op.target.symlink_metadata().is_ok(),
    };
    Ok(match (intent.direction, is_there) {
        (Direction::Apply, true) | (Direction::Undo, false) => finished,
        _ => unfinished,
    })
}
