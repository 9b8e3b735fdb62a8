//! Takes a plan back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Splice;
use crate::state::{FileHash, OpState, State, StateLock, bytes_of_path};

use super::apply::{FileChange, check_file};
use super::install::{Installation, Installed, hash_of, nanoseconds, rename_to_new};
use super::journal::{Direction, Intent, Journal};
use super::mark::{marks_in, without_marks};
use super::recover::{recover, temporary_name};
use super::{Observer, Op, OpKind, OpOutcome, PlanError, Replacement, Step, Unobserved, Work, Write};

/// How a plan is taken back.
pub struct UndoOptions<'a> {
    /// Takes out this plan's items from files that another plan changed later.
    pub items: bool,
    /// Only says what would be done.
    pub dry_run: bool,
    /// Which photos, by their path from the library's root.
    pub wanted: &'a dyn Fn(&Path) -> bool,
    /// How files are replaced.
    pub replacement: Replacement,
}

impl Default for UndoOptions<'_> {
    fn default() -> Self {
        Self { items: false, dry_run: false, wanted: &|_| true, replacement: Replacement::Best }
    }
}

/// What was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoReport {
    /// Files whose bytes and time of change are as they were.
    pub exact: u32,
    /// Files that another program changed since, from which the plan's items were taken out.
    pub by_items: u32,
    /// Files that are left alone, and why.
    pub left: Vec<(PathBuf, OpOutcome)>,
    /// Temporary files of an earlier crash that hold what cairn did not write; look at them.
    pub kept: Vec<PathBuf>,
}

/// Takes a plan back, the last operation first. `plan` is its name, or `last` for the one that was applied last.
///
/// # Errors
/// When the state cannot be used or there is no such plan. What happens to single files is in the report.
pub fn undo(
    state: &State,
    lock: &StateLock,
    plan: &str,
    options: &UndoOptions<'_>,
    observer: &mut dyn Observer,
) -> Result<UndoReport, PlanError> {
    let mut report = UndoReport { kept: recover(state, lock)?, ..UndoReport::default() };
    let plan = if plan == "last" { last(state)? } else { plan.to_owned() };
    let mut journal = Journal::open(state, &plan)?;
    if !options.dry_run {
        journal.open_work()?;
    }
    for seq in journal.in_state(OpState::Done).into_iter().rev() {
        let op = journal.op(seq)?;
        if !(options.wanted)(&op.photo) {
            continue;
        }
        let mtime_ns = journal.entry(seq).and_then(|entry| entry.mtime_before_ns);
        match take_back(state, &mut journal, &op, mtime_ns, options, observer)? {
            Ok(Taken::Exact) => report.exact += 1,
            Ok(Taken::ByItems) => report.by_items += 1,
            Err(outcome) => {
                if !options.dry_run && journal.state(seq) == OpState::Intent {
                    journal.end_op(seq, OpState::Done, None)?;
                }
                report.left.push((op.target, outcome));
            }
        }
    }
    if !options.dry_run {
        journal.close_work(state)?;
    }
    Ok(report)
}

/// The plan that was applied last and still has something done.
fn last(state: &State) -> Result<String, PlanError> {
    let query = "SELECT plan.id FROM plan WHERE EXISTS (SELECT 1 FROM op WHERE op.plan = plan.id AND op.state = 'done') \
                 ORDER BY plan.id DESC LIMIT 1";
    let mut query = state.connection().prepare(query)?;
    let mut rows = query.query_map([], |row| row.get(0))?;
    rows.next().unwrap_or_else(|| Ok(String::new())).map_err(PlanError::from).and_then(|plan: String| {
        if plan.is_empty() { Err(PlanError::UnknownPlan("last".to_owned())) } else { Ok(plan) }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Exact,
    ByItems,
}

type Outcome = Result<Result<Taken, OpOutcome>, PlanError>;

fn skipped(reason: impl ToString) -> OpOutcome {
    OpOutcome::Skipped(reason.to_string())
}

fn take_back(
    state: &State,
    journal: &mut Journal,
    op: &Op,
    mtime_ns: Option<i64>,
    options: &UndoOptions<'_>,
    observer: &mut dyn Observer,
) -> Outcome {
    let write = match &op.work {
        Work::Write(write) => write,
        Work::Place { source, hash } => return place_back(journal, op, source, *hash, options, observer),
    };
    let bytes = match fs::read(&op.target) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && write.before.is_none() => {
            // Somebody removed the sidecar already.
            if !options.dry_run {
                journal.end_op(op.seq, OpState::Undone, None)?;
            }
            return Ok(Ok(Taken::Exact));
        }
        Err(error) => return Ok(Err(skipped(error))),
    };
    let metadata = match op.target.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(skipped(error))),
    };
    if let Err(outcome) = check_file(&metadata, std::time::Duration::ZERO) {
        return Ok(Err(outcome));
    }
    let hash = FileHash::of(&bytes);
    let (content, taken) = match content_before(write, &bytes, hash) {
        Some(content) => (content, Taken::Exact),
        None => match content_without(state, journal, op, write, &bytes, options)? {
            Ok(content) => (Some(content), Taken::ByItems),
            Err(outcome) => return Ok(Err(outcome)),
        },
    };
    if options.dry_run {
        return Ok(Ok(taken));
    }
    if content.as_ref() == Some(&bytes) {
        journal.end_op(op.seq, OpState::Undone, None)?;
        return Ok(Ok(taken));
    }
    observer.at(Step::Hashed, &op.target);
    let change = FileChange {
        op,
        from: Some(hash),
        to: content.as_deref(),
        mtime_ns: mtime_ns.filter(|_| taken == Taken::Exact),
        mtime_before_ns: metadata.modified().ok().map(nanoseconds),
    };
    let done = change.carry_out(journal, Direction::Undo, options.replacement, observer)?;
    Ok(done.map(|()| taken))
}

/// What the file held before, if nobody changed it since: `Some(None)` is no file.
fn content_before(write: &Write, bytes: &[u8], hash: FileHash) -> Option<Option<Vec<u8>>> {
    if hash != write.after {
        return None;
    }
    let Some(before) = write.before else { return Some(None) };
    let content = Splice::apply(bytes, &Splice::inverse(&write.splices))?;
    (FileHash::of(&content) == before).then_some(Some(content))
}

/// The changed file without this plan's items.
fn content_without(
    state: &State,
    journal: &Journal,
    op: &Op,
    write: &Write,
    bytes: &[u8],
    options: &UndoOptions<'_>,
) -> Result<Result<Vec<u8>, OpOutcome>, PlanError> {
    if !options.items
        && let Some(later) = later_plan(state, journal, &op.target)?
    {
        let advice =
            format!("plan {later} changed it later; undo that one first, or take out items with --items");
        return Ok(Err(skipped(advice)));
    }
    if write.landmark.is_none() {
        return Ok(Err(OpOutcome::Foreign(
            "it changed since, so the mark that was taken out is not put back".to_owned(),
        )));
    }
    Ok(without_marks(op.kind, bytes, &write.wrote, &write.copied)
        .map_err(|error| OpOutcome::Foreign(error.to_string())))
}

/// A plan that was made later and changed this file.
fn later_plan(state: &State, journal: &Journal, target: &Path) -> Result<Option<String>, PlanError> {
    let mut query = state.connection().prepare_cached(
        "SELECT plan.id FROM op JOIN plan ON plan.id = op.plan WHERE op.target = ? AND op.state = 'done' \
         AND plan.id > ? ORDER BY plan.id DESC LIMIT 1",
    )?;
    let mut rows = query.query_map((bytes_of_path(target), &journal.header.plan), |row| row.get(0))?;
    Ok(rows.next().transpose()?)
}

/// Takes back a copy, a move or a link.
fn place_back(
    journal: &mut Journal,
    op: &Op,
    source: &Path,
    hash: FileHash,
    options: &UndoOptions<'_>,
    observer: &mut dyn Observer,
) -> Outcome {
    let same = match op.kind {
        OpKind::SymbolicLink => fs::read_link(&op.target).is_ok_and(|link| link == source),
        _ => hash_of(&op.target).is_ok_and(|found| found == Some(hash)),
    };
    if !same {
        return Ok(Err(OpOutcome::Foreign("it changed since, or is gone".to_owned())));
    }
    if options.dry_run {
        return Ok(Ok(Taken::Exact));
    }
    observer.at(Step::Hashed, &op.target);
    journal.begin_op(op, Intent::new(Direction::Undo, Some(hash), None), None)?;
    observer.at(Step::Journaled, &op.target);
    let result = match op.kind {
        OpKind::Move => rename_to_new(&op.target, source).map(|()| Installed::Done),
        OpKind::SymbolicLink => fs::remove_file(&op.target).map(|()| Installed::Done),
        // The photo itself has another name still.
        OpKind::HardLink if source.symlink_metadata().is_ok() => {
            fs::remove_file(&op.target).map(|()| Installed::Done)
        }
        OpKind::HardLink => return Ok(Err(skipped("the photo has no other name now"))),
        _ => {
            let temporary = temporary_name(op, &journal.header.plan);
            let installation = Installation {
                target: &op.target,
                temporary: &temporary,
                from: Some(hash),
                to: None,
                mtime_ns: None,
                replacement: options.replacement,
            };
            installation.install(&mut Unobserved).and_then(|installed| match installed {
                Installed::Done => installation.clean(),
                Installed::Foreign => Ok(Installed::Foreign),
            })
        }
    };
    match result {
        Ok(Installed::Done) => {}
        Ok(Installed::Foreign) => {
            return Ok(Err(OpOutcome::Foreign("another program changed it at this moment".to_owned())));
        }
        Err(error) => return Ok(Err(skipped(error))),
    }
    observer.at(Step::Exchanged, &op.target);
    journal.end_op(op.seq, OpState::Undone, None)?;
    observer.at(Step::Done, &op.target);
    Ok(Ok(Taken::Exact))
}

/// Takes the marks out of all sidecars and photos below `root` by what the marks themselves say, without journal and database.
/// Exact by items, not by bytes.
///
/// # Errors
/// When a folder cannot be read. Files that are left alone are in the report.
pub fn undo_from_marks(root: &Path, dry_run: bool) -> Result<UndoReport, PlanError> {
    let root = root.canonicalize().map_err(PlanError::io(root))?;
    let mut report = UndoReport::default();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(PlanError::io(&folder))? {
            let entry = entry.map_err(PlanError::io(&folder))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(PlanError::io(&folder))?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                match take_out(&path, dry_run) {
                    Ok(false) => {}
                    Ok(true) => report.by_items += 1,
                    Err(reason) => report.left.push((path, reason)),
                }
            }
        }
    }
    Ok(report)
}

/// Takes the marks out of one file. False where it has none.
fn take_out(path: &Path, dry_run: bool) -> Result<bool, OpOutcome> {
    let is_sidecar = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xmp"));
    let bytes = fs::read(path).map_err(skipped)?;
    let needle = b"urn:cairn:marks:1.0/";
    if !bytes.windows(needle.len()).any(|window| window == needle) {
        return Ok(false);
    }
    let kind = match crate::embed::Format::of(&bytes) {
        _ if is_sidecar => OpKind::Edit,
        Some(format) if format.can_embed() => OpKind::Embed,
        _ => return Ok(false),
    };
    let packet = if is_sidecar {
        Some(bytes.clone())
    } else {
        crate::embed::Metadata::of(&bytes).map_err(skipped)?.xmp
    };
    let Some(packet) = packet else { return Ok(false) };
    let marks = crate::xmp::Packet::parse(&packet).and_then(|packet| marks_in(&packet)).map_err(skipped)?;
    let mut content = bytes.clone();
    for mark in &marks {
        content =
            without_marks(kind, &content, &mark.changes.wrote, &mark.changes.copied).map_err(skipped)?;
    }
    if content == bytes {
        return Ok(false);
    }
    let metadata = path.symlink_metadata().map_err(skipped)?;
    check_file(&metadata, std::time::Duration::ZERO)?;
    if dry_run {
        return Ok(true);
    }
    let digits = &FileHash::of(&bytes).to_string()[..8];
    let temporary = path.with_file_name(format!(".cairn-{digits}.tmp"));
    let installation = Installation {
        target: path,
        temporary: &temporary,
        from: Some(FileHash::of(&bytes)),
        to: Some(&content),
        mtime_ns: None,
        replacement: Replacement::Best,
    };
    match installation.install(&mut Unobserved).and_then(|_| installation.clean()) {
        Ok(Installed::Done) => Ok(true),
        Ok(Installed::Foreign) => {
            Err(OpOutcome::Foreign("another program changed it at this moment".to_owned()))
        }
        Err(error) => Err(skipped(error)),
    }
}
