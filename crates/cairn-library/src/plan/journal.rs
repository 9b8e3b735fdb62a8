//! The journal of a plan: a text file to which lines are appended, before and after each operation.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::state::{FileHash, OpState, State, bytes_of_path};

use super::{Op, PlanError, PlanHeader, Work};

/// Which way an operation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Apply,
    Undo,
}

/// What a file is changed from and to; `None` is no file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) direction: Direction,
    from: Option<String>,
    to: Option<String>,
}

impl Intent {
    pub(super) fn new(direction: Direction, from: Option<FileHash>, to: Option<FileHash>) -> Intent {
        let text = |hash: Option<FileHash>| hash.map(|hash| hash.to_string());
        Intent { direction, from: text(from), to: text(to) }
    }

    pub(super) fn from(&self) -> Option<FileHash> {
        self.from.as_deref().and_then(FileHash::from_hex)
    }

    pub(super) fn to(&self) -> Option<FileHash> {
        self.to.as_deref().and_then(FileHash::from_hex)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Plan { header: PlanHeader, plan_hash: String },
    Begin { seq: u32, intent: Intent, mtime_before_ns: Option<i64>, op: Option<Op> },
    End { seq: u32, state: OpState, error: Option<String> },
}

/// What the journal says about an operation.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) state: OpState,
    pub(super) intent: Option<Intent>,
    pub(super) mtime_before_ns: Option<i64>,
    pub(super) error: Option<String>,
    /// Where the line with the operation is, and how long it is.
    line: Option<(u64, usize)>,
}

/// The journal of a plan.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    end: u64,
    pub(super) header: PlanHeader,
    plan_hash: String,
    entries: BTreeMap<u32, Entry>,
}

impl Journal {
    pub(super) fn folder(state: &State) -> PathBuf {
        state.folder().join("journal")
    }

    /// The names of all plans that have a journal.
    pub(super) fn plans(state: &State) -> Result<Vec<String>, PlanError> {
        let folder = Journal::folder(state);
        let mut plans = Vec::new();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(plans),
            Err(error) => return Err(PlanError::io(&folder)(error)),
        };
        for entry in entries {
            let name = entry.map_err(PlanError::io(&folder))?.file_name();
            plans.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")).map(str::to_owned));
        }
        plans.sort();
        Ok(plans)
    }

    /// Begins a journal, or opens the one that the plan has.
    pub(super) fn begin(
        state: &State,
        header: &PlanHeader,
        plan_hash: blake3::Hash,
    ) -> Result<Journal, PlanError> {
        let path = Journal::folder(state).join(format!("{}.jsonl", header.plan));
        if !path.exists() {
            fs::create_dir_all(Journal::folder(state)).map_err(PlanError::io(&path))?;
            let plan_hash = plan_hash.to_hex().to_string();
            let mut line = serde_json::to_vec(&Line::Plan { header: header.clone(), plan_hash })
                .map_err(|error| PlanError::io(&path)(error.into()))?;
            line.push(b'\n');
            let write = || {
                // Whole or not there.
                let temporary = path.with_extension("part");
                let mut file = File::create(&temporary)?;
                file.write_all(&line)?;
                file.sync_all()?;
                fs::rename(&temporary, &path)
            };
            write().map_err(PlanError::io(&path))?;
        }
        let journal = Journal::open(state, &header.plan)?;
        if journal.plan_hash != plan_hash.to_hex().as_str() {
            return Err(PlanError::NotAPlan {
                path,
                reason: "the journal has another plan of this name".to_owned(),
            });
        }
        Ok(journal)
    }

    /// Opens the journal of a plan. What half a line was written before a crash is cut off.
    pub(super) fn open(state: &State, plan: &str) -> Result<Journal, PlanError> {
        let path = Journal::folder(state).join(format!("{plan}.jsonl"));
        let opened = OpenOptions::new().read(true).append(true).open(&path);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PlanError::UnknownPlan(plan.to_owned()),
            _ => PlanError::io(&path)(error),
        })?;
        let damaged = |reason: String| PlanError::NotAPlan { path: path.clone(), reason };
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        let mut end = 0;
        let mut first = None;
        let mut entries: BTreeMap<u32, Entry> = BTreeMap::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(PlanError::io(&path))?;
            if length == 0 || line.last() != Some(&b'\n') {
                break;
            }
            match serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))? {
                Line::Plan { header, plan_hash } => first = Some((header, plan_hash)),
                Line::Begin { seq, intent, mtime_before_ns, op } => {
                    let entry = entries.entry(seq).or_insert_with(Entry::planned);
                    entry.state = OpState::Intent;
                    entry.error = None;
                    if intent.direction == Direction::Apply {
                        entry.mtime_before_ns = mtime_before_ns;
                    }
                    entry.intent = Some(intent);
                    if op.is_some() {
                        entry.line = Some((end, length));
                    }
                }
                Line::End { seq, state, error } => {
                    let entry = entries.entry(seq).or_insert_with(Entry::planned);
                    entry.state = state;
                    entry.error = error;
                }
            }
            end += length as u64;
        }
        let (header, plan_hash) = first.ok_or_else(|| damaged("it has no first line".to_owned()))?;
        file.set_len(end).map_err(PlanError::io(&path))?;
        Ok(Journal { path, file, end, header, plan_hash, entries })
    }

    pub(super) fn entry(&self, seq: u32) -> Option<&Entry> {
        self.entries.get(&seq)
    }

    pub(super) fn state(&self, seq: u32) -> OpState {
        self.entries.get(&seq).map_or(OpState::Planned, |entry| entry.state)
    }

    pub(super) fn in_state(&self, state: OpState) -> Vec<u32> {
        self.entries.iter().filter(|(_, entry)| entry.state == state).map(|(seq, _)| *seq).collect()
    }

    /// The operation as it was written down.
    pub(super) fn op(&self, seq: u32) -> Result<Op, PlanError> {
        let damaged = |reason: String| PlanError::NotAPlan { path: self.path.clone(), reason };
        let line = self.entries.get(&seq).and_then(|entry| entry.line);
        let (at, length) = line.ok_or_else(|| damaged(format!("operation {seq} is not in it")))?;
        let mut bytes = vec![0; length];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(PlanError::io(&self.path))?;
        match serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))? {
            Line::Begin { op: Some(op), .. } => Ok(op),
            _ => Err(damaged(format!("operation {seq} is not where it was"))),
        }
    }

    /// Writes down what is about to happen; it is on the disk when this returns.
    pub(super) fn begin_op(
        &mut self,
        op: &Op,
        intent: Intent,
        mtime_before_ns: Option<i64>,
    ) -> Result<(), PlanError> {
        let known = self.entries.get(&op.seq).is_some_and(|entry| entry.line.is_some());
        let line = Line::Begin {
            seq: op.seq,
            intent: intent.clone(),
            mtime_before_ns,
            op: (!known).then(|| op.clone()),
        };
        let place = self.append(&line)?;
        self.file.sync_data().map_err(PlanError::io(&self.path))?;
        let entry = self.entries.entry(op.seq).or_insert_with(Entry::planned);
        entry.state = OpState::Intent;
        if intent.direction == Direction::Apply {
            entry.mtime_before_ns = mtime_before_ns;
        }
        entry.intent = Some(intent);
        entry.line = entry.line.or(Some(place));
        Ok(())
    }

    /// Writes down what came of it. (Lost in a crash, it is found again by the files' hashes.)
    pub(super) fn end_op(
        &mut self,
        seq: u32,
        state: OpState,
        error: Option<String>,
    ) -> Result<(), PlanError> {
        self.append(&Line::End { seq, state, error: error.clone() })?;
        let entry = self.entries.entry(seq).or_insert_with(Entry::planned);
        entry.state = state;
        entry.error = error;
        Ok(())
    }

    fn append(&mut self, line: &Line) -> Result<(u64, usize), PlanError> {
        let mut bytes = serde_json::to_vec(line).map_err(|error| PlanError::io(&self.path)(error.into()))?;
        bytes.push(b'\n');
        // One call: a crash leaves a whole line or the beginning of one.
        self.file.write_all(&bytes).map_err(PlanError::io(&self.path))?;
        let place = (self.end, bytes.len());
        self.end += bytes.len() as u64;
        Ok(place)
    }

    /// Says in the folder that work on this plan has begun, so that what a crash left is looked for.
    pub(super) fn open_work(&self) -> Result<(), PlanError> {
        let path = self.path.with_extension("open");
        let make = || File::create(&path).and_then(|file| file.sync_all());
        make().map_err(PlanError::io(&path))
    }

    /// Says that the work has ended, and brings the database's rows up to date.
    pub(super) fn close_work(&self, state: &State) -> Result<(), PlanError> {
        self.file.sync_data().map_err(PlanError::io(&self.path))?;
        self.mirror(state)?;
        let path = self.path.with_extension("open");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PlanError::io(&path)(error)),
            _ => Ok(()),
        }
    }

    /// The plans whose work did not end.
    pub(super) fn unfinished(state: &State) -> Result<Vec<String>, PlanError> {
        let folder = Journal::folder(state);
        let is_open = |plan: &String| folder.join(format!("{plan}.open")).exists();
        Ok(Journal::plans(state)?.into_iter().filter(is_open).collect())
    }

    /// The database's rows of this plan, as the journal has them.
    pub(super) fn mirror(&self, state: &State) -> Result<(), PlanError> {
        let connection = state.durable_connection()?;
        let transaction = connection.unchecked_transaction()?;
        let library = match state.library(Some(&self.header.library)) {
            Ok(library) => library,
            Err(_) => state.add_library(&self.header.library)?,
        };
        let plan_hash = FileHash::from_hex(&self.plan_hash);
        transaction.execute(
            "INSERT OR IGNORE INTO plan (id, library, plan_hash, path, made) VALUES (?, ?, ?, ?, ?)",
            (&self.header.plan, library.id.0, plan_hash, bytes_of_path(&self.path), self.header.made),
        )?;
        let mut statement = transaction.prepare_cached(
            "INSERT OR REPLACE INTO op (plan, seq, kind, file, target, before_hash, after_hash, edits, journal_offset, \
             mtime_before_ns, state, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (seq, entry) in &self.entries {
            let Some((at, _)) = entry.line else { continue };
            let op = self.op(*seq)?;
            let (before, after) = match &op.work {
                Work::Write(write) => (write.before, Some(write.after)),
                Work::Place { hash, .. } => (None, Some(*hash)),
            };
            let file = state.file_at(library.id, &op.photo)?.map(|file| file.id.0);
            statement.execute(rusqlite::params![
                self.header.plan,
                seq,
                op.kind.word(),
                file,
                bytes_of_path(&op.target),
                before,
                after,
                Option::<Vec<u8>>::None,
                i64::try_from(at).unwrap_or(i64::MAX),
                entry.mtime_before_ns,
                entry.state,
                entry.error,
            ])?;
        }
        drop(statement);
        transaction.commit()?;
        Ok(())
    }
}

impl Entry {
    fn planned() -> Entry {
        Entry { state: OpState::Planned, intent: None, mtime_before_ns: None, error: None, line: None }
    }
}
