//! Carries out a plan, one file after the other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::Splice;
use crate::scan::payload_hash;
use crate::state::{FileHash, OpState, State, StateLock, bytes_of_path};

use super::install::{Installation, Installed, hash_of, nanoseconds, rename_to_new, set_modified};
use super::journal::{Direction, Intent, Journal};
use super::mark::fields_between;
use super::recover::{recover, temporary_name};
use super::{MtimePolicy, Observer, Op, OpKind, PlanError, PlanFile, Replacement, Step, Work, Write};

/// How a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// A file that was changed less than this ago may still be in work.
    pub settle: Duration,
    /// At most so many operations.
    pub limit: Option<u32>,
    /// How files are replaced.
    pub replacement: Replacement,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { settle: Duration::from_secs(60), limit: None, replacement: Replacement::Best }
    }
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpOutcome {
    /// It is done.
    Done,
    /// It was done before.
    Already,
    /// Left alone, for this reason.
    Skipped(String),
    /// Another program changed the file since the plan was made: left alone.
    Foreign(String),
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// Operations carried out now.
    pub done: u32,
    /// Operations that were carried out before.
    pub already: u32,
    /// Files left alone, and why.
    pub left: Vec<(PathBuf, OpOutcome)>,
    /// Operations that `limit` or a stop left for the next time.
    pub remaining: u32,
    /// Temporary files of an earlier crash that hold what cairn did not write; look at them.
    pub kept: Vec<PathBuf>,
}

/// Carries out a plan. Each file is looked at first and again after; a second call does what is left.
///
/// # Errors
/// When the plan or the state cannot be used. What happens to single files is in the report.
pub fn apply(
    state: &State,
    lock: &StateLock,
    plan: &PlanFile,
    options: ApplyOptions,
    observer: &mut dyn Observer,
    stop: &dyn Fn() -> bool,
) -> Result<ApplyReport, PlanError> {
    let mut report = ApplyReport { kept: recover(state, lock)?, ..ApplyReport::default() };
    let mut journal = Journal::begin(state, &plan.header, plan.hash)?;
    journal.open_work()?;
    for op in plan.ops()? {
        let op = op?;
        if journal.state(op.seq) == OpState::Done {
            report.already += 1;
            continue;
        }
        if stop() || options.limit.is_some_and(|limit| report.done >= limit) {
            report.remaining += 1;
            continue;
        }
        let settle = if is_own(state, &op)? { Duration::ZERO } else { options.settle };
        let outcome = match carry_out(&mut journal, &op, ApplyOptions { settle, ..options }, observer)? {
            Ok(()) => {
                report.done += 1;
                continue;
            }
            Err(outcome) => outcome,
        };
        let (state, reason) = match &outcome {
            OpOutcome::Foreign(reason) => (OpState::Foreign, Some(reason.clone())),
            OpOutcome::Skipped(reason) => (OpState::Skipped, Some(reason.clone())),
            OpOutcome::Done | OpOutcome::Already => (OpState::Done, None),
        };
        journal.end_op(op.seq, state, reason)?;
        report.left.push((op.target, outcome));
    }
    journal.close_work(state)?;
    Ok(report)
}

/// Whether an earlier plan left the target as this one expects it: then nobody else is at work on it.
fn is_own(state: &State, op: &Op) -> Result<bool, PlanError> {
    let Work::Write(write) = &op.work else { return Ok(false) };
    let query = "SELECT EXISTS (SELECT 1 FROM op WHERE target = ? AND after_hash = ? AND state = 'done')";
    let mut query = state.connection().prepare_cached(query)?;
    Ok(query.query_row((bytes_of_path(&op.target), write.before), |row| row.get(0))?)
}

/// Errors of the outer result end the plan; those of the inner one concern this file.
type Outcome = Result<Result<(), OpOutcome>, PlanError>;

fn carry_out(journal: &mut Journal, op: &Op, options: ApplyOptions, observer: &mut dyn Observer) -> Outcome {
    match &op.work {
        Work::Write(write) => match prepare(op, write, options) {
            Ok((content, mtime_before_ns)) => {
                observer.at(Step::Hashed, &op.target);
                let keep = mtime_before_ns.filter(|_| write.mtime == MtimePolicy::Keep);
                let change = FileChange {
                    op,
                    from: write.before,
                    to: Some(&content),
                    mtime_ns: keep,
                    mtime_before_ns,
                };
                change.carry_out(journal, Direction::Apply, options.replacement, observer)
            }
            Err(outcome) => Ok(Err(outcome)),
        },
        Work::Place { source, hash } => place(journal, op, source, *hash, observer),
    }
}

fn skipped(reason: impl ToString) -> OpOutcome {
    OpOutcome::Skipped(reason.to_string())
}

fn foreign(reason: &str) -> OpOutcome {
    OpOutcome::Foreign(reason.to_owned())
}

/// Whether a folder is the one that the plan was made for: no link has taken its place.
fn check_folder(op: &Op) -> Result<(), OpOutcome> {
    let Some(folder) = op.target.parent() else { return Err(skipped("it has no folder")) };
    if matches!(
        op.kind,
        OpKind::Create | OpKind::Copy | OpKind::Move | OpKind::SymbolicLink | OpKind::HardLink
    ) {
        fs::create_dir_all(folder).map_err(skipped)?;
    }
    match folder.canonicalize() {
        Ok(resolved) if resolved == folder => Ok(()),
        Ok(_) => Err(foreign("its folder is now behind a symbolic link")),
        Err(error) => Err(skipped(error)),
    }
}

/// The new content, and the time of change before.
fn prepare(op: &Op, write: &Write, options: ApplyOptions) -> Result<(Vec<u8>, Option<i64>), OpOutcome> {
    check_folder(op)?;
    for guard in &write.guards {
        if !guard.holds() {
            let name = guard.path.file_name().unwrap_or_default().to_string_lossy();
            return Err(OpOutcome::Foreign(format!("{name} changed since the plan was made")));
        }
    }
    let before = match (write.before, op.target.symlink_metadata()) {
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
        (None, Ok(_)) => return Err(foreign("a file of this name is there now")),
        (Some(_), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(foreign("it is gone"));
        }
        (_, Err(error)) => return Err(skipped(error)),
        (Some(hash), Ok(metadata)) => {
            check_file(&metadata, options.settle)?;
            let bytes = fs::read(&op.target).map_err(skipped)?;
            if FileHash::of(&bytes) != hash {
                return Err(foreign("it changed since the plan was made"));
            }
            (bytes, metadata.modified().ok().map(nanoseconds))
        }
    };
    let after = Splice::apply(&before.0, &write.splices).filter(|after| FileHash::of(after) == write.after);
    let after = after.ok_or_else(|| skipped("the plan does not fit the file"))?;
    verify(op, write, &before.0, &after)?;
    Ok((after, before.1))
}

/// What may be edited at all.
pub(super) fn check_file(metadata: &fs::Metadata, settle: Duration) -> Result<(), OpOutcome> {
    if metadata.is_symlink() {
        return Err(skipped("it is a symbolic link"));
    }
    if !metadata.is_file() {
        return Err(skipped("it is no file"));
    }
    if metadata.permissions().readonly() {
        return Err(skipped("it is write-protected"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(metadata) > 1 {
        return Err(skipped("it has several names (hard links)"));
    }
    let age = metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    // A time in the future says nothing.
    if age.is_some_and(|age| age < settle) {
        return Err(skipped("it was changed a moment ago; apply the plan again later"));
    }
    Ok(())
}

/// Whether the new content is the planned one: same picture, and exactly these fields differ.
fn verify(op: &Op, write: &Write, before: &[u8], after: &[u8]) -> Result<(), OpOutcome> {
    if let Some(payload) = write.payload
        && (payload_hash(before) != payload || payload_hash(after) != payload)
    {
        return Err(skipped("internal error: the picture would change"));
    }
    let found = fields_between(op.kind, before, after).map_err(skipped)?;
    if found != write.fields {
        return Err(skipped("internal error: the file would not read as planned"));
    }
    Ok(())
}

/// One file from one content to another, through the journal.
pub(super) struct FileChange<'a> {
    pub(super) op: &'a Op,
    pub(super) from: Option<FileHash>,
    pub(super) to: Option<&'a [u8]>,
    /// The time of change that it gets.
    pub(super) mtime_ns: Option<i64>,
    /// The time of change that it has.
    pub(super) mtime_before_ns: Option<i64>,
}

impl FileChange<'_> {
    pub(super) fn carry_out(
        &self,
        journal: &mut Journal,
        direction: Direction,
        replacement: Replacement,
        observer: &mut dyn Observer,
    ) -> Outcome {
        let target = &self.op.target;
        let temporary = temporary_name(self.op, &journal.header.plan);
        let intent = Intent::new(direction, self.from, self.to.map(FileHash::of));
        journal.begin_op(self.op, intent, self.mtime_before_ns)?;
        observer.at(Step::Journaled, target);
        let installation = Installation {
            target,
            temporary: &temporary,
            from: self.from,
            to: self.to,
            mtime_ns: self.mtime_ns,
            replacement,
        };
        match installation.install(observer) {
            Ok(Installed::Done) => {}
            Ok(Installed::Foreign) => return Ok(Err(foreign("another program changed it at this moment"))),
            Err(error) => return Ok(Err(skipped(error))),
        }
        let done = if direction == Direction::Apply { OpState::Done } else { OpState::Undone };
        journal.end_op(self.op.seq, done, None)?;
        observer.at(Step::Done, target);
        let cleaned = installation.clean();
        observer.at(Step::Removed, target);
        match cleaned {
            Ok(Installed::Done) => Ok(Ok(())),
            Ok(Installed::Foreign) => Ok(Err(foreign("another program changed it at this moment"))),
            Err(error) => Err(PlanError::io(&temporary)(error)),
        }
    }
}

/// Puts a file elsewhere: copy, move, link. Nothing is ever replaced.
fn place(
    journal: &mut Journal,
    op: &Op,
    source: &Path,
    hash: FileHash,
    observer: &mut dyn Observer,
) -> Outcome {
    if let Err(outcome) = check_folder(op) {
        return Ok(Err(outcome));
    }
    match hash_of(source) {
        Ok(Some(found)) if found == hash => {}
        Ok(Some(_)) => return Ok(Err(foreign("it changed since the plan was made"))),
        Ok(None) => return Ok(Err(foreign("it is gone"))),
        Err(error) => return Ok(Err(skipped(error))),
    }
    if op.target.symlink_metadata().is_ok() {
        return Ok(Err(foreign("a file of this name is there now")));
    }
    observer.at(Step::Hashed, &op.target);
    journal.begin_op(op, Intent::new(Direction::Apply, None, Some(hash)), None)?;
    observer.at(Step::Journaled, &op.target);
    let temporary = temporary_name(op, &journal.header.plan);
    let placed = match op.kind {
        OpKind::Copy => copy(source, &temporary, &op.target, hash),
        OpKind::Move => rename_to_new(source, &op.target),
        OpKind::HardLink => fs::hard_link(source, &op.target),
        OpKind::SymbolicLink => symbolic_link(source, &op.target),
        OpKind::Create | OpKind::Edit | OpKind::Embed => Err(io::ErrorKind::InvalidInput.into()),
    };
    if let Err(error) = placed {
        let there = error.kind() == io::ErrorKind::AlreadyExists;
        let reason = if error.kind() == io::ErrorKind::CrossesDevices {
            "another file system: cairn copies there, and never moves".to_owned()
        } else {
            error.to_string()
        };
        return Ok(Err(if there { foreign("a file of this name is there now") } else { skipped(reason) }));
    }
    observer.at(Step::Exchanged, &op.target);
    journal.end_op(op.seq, OpState::Done, None)?;
    observer.at(Step::Done, &op.target);
    Ok(Ok(()))
}

/// A copy with the source's time of change and permissions, whole or not there.
fn copy(source: &Path, temporary: &Path, target: &Path, hash: FileHash) -> io::Result<()> {
    let copied = || {
        fs::copy(source, temporary)?;
        let file = fs::File::options().write(true).open(temporary)?;
        set_modified(&file, fs::metadata(source)?.modified()?)?;
        file.sync_all()?;
        match hash_of(temporary)? {
            Some(found) if found == hash => rename_to_new(temporary, target),
            _ => Err(io::Error::other("it changed while it was copied")),
        }
    };
    let result = copied();
    if result.is_err() {
        let _ = fs::remove_file(temporary);
    }
    result
}

#[cfg(unix)]
fn symbolic_link(source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, target)
}

#[cfg(windows)]
fn symbolic_link(source: &Path, target: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(source, target)
}
