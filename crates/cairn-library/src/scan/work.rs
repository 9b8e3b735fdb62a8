//! The work: pending files are read by several threads, and one thread writes what they found.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use rayon::ThreadPoolBuilder;

use super::budget::Budget;
use super::reader::{BYTES_IN_FLIGHT, Outcome, Task, read};
use super::walk::{COMMIT_EVERY, ROWS_A_COMMIT, now};
use super::{ScanError, ScanEvent, ScanModel, ScanOptions, ScanReport, Watcher};
use crate::scan::crashes::Place;
use crate::state::{FileId, FileState, LibraryRow, ModelId, PayloadHash, State, path_of_bytes};

/// Files for each worker that are on their way.
const FILES_EACH: usize = 4;

/// Rows of pending files that are fetched at once.
const PAGE: i64 = 1024;

/// Reads every pending file of the library.
pub(super) fn work(
    state: &State,
    library: &LibraryRow,
    model: Option<(&ScanModel, ModelId)>,
    options: &ScanOptions,
    watcher: &mut Watcher<'_>,
    report: &mut ScanReport,
) -> Result<(), ScanError> {
    if let Some((_, model)) = model {
        ask_again(state, library, model)?;
    }
    let total = pending(state, library)?;
    (watcher.on_event)(ScanEvent::Walked { files: report.walked, to_read: total });
    let jobs = match options.jobs {
        0 => rayon::current_num_threads(),
        jobs => jobs,
    };
    let budget = Budget::new(BYTES_IN_FLIGHT);
    let (task_sender, tasks) = unbounded::<Task>();
    let (outcome_sender, outcomes) = bounded::<Outcome>(jobs * FILES_EACH);
    std::thread::scope(|scope| -> Result<(), ScanError> {
        for worker in 0..jobs {
            let mut place = Place::of(state, worker)?;
            let known = Known::open(state, model.map(|(_, id)| id))?;
            let (tasks, outcomes, budget) = (tasks.clone(), outcome_sender.clone(), &budget);
            let run = move || {
                let look = || {
                    for task in tasks {
                        place.begin(task.id);
                        let outcome = read(&task, budget, model.map(|(model, _)| &model.model), |payload| {
                            known.is_known(payload)
                        });
                        place.end();
                        if outcomes.send(outcome).is_err() {
                            return;
                        }
                    }
                };
                // A photo by itself on one thread: many at once take less time so.
                match ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
                    Ok(_pool) => look(),
                    Err(_) => look(),
                }
            };
            std::thread::Builder::new()
                .name("photo".to_owned())
                .spawn_scoped(scope, run)
                .map_err(ScanError::Threads)?;
        }
        drop((tasks, outcome_sender));
        let mut writer = Writer {
            state,
            library,
            model: model.map(|(_, id)| id),
            queue: Queue { state, library, page: VecDeque::new(), last: 0, suspects: true },
            total,
            report,
            bytes: 0,
        };
        // The threads end when `task_sender` is dropped.
        writer.run(task_sender, &outcomes, jobs * FILES_EACH, watcher)
    })
}

/// Photos that were read without this model are pending again.
fn ask_again(state: &State, library: &LibraryRow, model: ModelId) -> Result<(), ScanError> {
    state.connection().execute(
        "UPDATE file SET state = 'pending' WHERE state = 'read' \
         AND folder IN (SELECT id FROM folder WHERE library = ?) \
         AND NOT EXISTS (SELECT 1 FROM prediction WHERE prediction.payload_hash = file.payload_hash AND model = ?)",
        (library.id.0, model.0),
    )?;
    Ok(())
}

fn pending(state: &State, library: &LibraryRow) -> Result<u64, ScanError> {
    let count: i64 = state.connection().query_row(
        "SELECT count(*) FROM file JOIN folder ON folder.id = file.folder \
         WHERE file.state = 'pending' AND folder.library = ?",
        [library.id.0],
        |row| row.get(0),
    )?;
    Ok(count as u64)
}

/// Pictures that the model has looked at, by a connection of a worker's own.
struct Known {
    state: Option<(State, ModelId)>,
}

impl Known {
    fn open(state: &State, model: Option<ModelId>) -> Result<Known, ScanError> {
        let opened = model.map(|model| State::open_existing(state.folder()).map(|state| (state, model)));
        Ok(Known { state: opened.transpose()? })
    }

    /// What the database cannot tell is looked at once more.
    fn is_known(&self, payload: PayloadHash) -> bool {
        let known = |(state, model): &(State, ModelId)| {
            state
                .connection()
                .prepare_cached("SELECT 1 FROM prediction WHERE payload_hash = ? AND model = ? LIMIT 1")
                .and_then(|mut query| query.exists((payload, model.0)))
                .unwrap_or(false)
        };
        self.state.as_ref().is_some_and(known)
    }
}

/// The pending files: first those that were in work in a crash, each alone, so that no other is suspected with it.
struct Queue<'a> {
    state: &'a State,
    library: &'a LibraryRow,
    page: VecDeque<Task>,
    last: i64,
    suspects: bool,
}

impl Queue<'_> {
    fn next(&mut self) -> Result<Option<Task>, ScanError> {
        if self.page.is_empty() {
            self.fetch()?;
            if self.page.is_empty() && self.suspects {
                self.suspects = false;
                self.last = 0;
                self.fetch()?;
            }
        }
        Ok(self.page.pop_front())
    }

    fn fetch(&mut self) -> Result<(), ScanError> {
        let condition = if self.suspects { "> 0" } else { "= 0" };
        let mut query = self.state.connection().prepare_cached(&format!(
            "SELECT file.id, folder.path, file.name, file.kind, file.size, group_member.role FROM file \
             JOIN folder ON folder.id = file.folder LEFT JOIN group_member ON group_member.file = file.id \
             WHERE file.state = 'pending' AND folder.library = ? AND file.id > ? AND file.crashes {condition} \
             ORDER BY file.id LIMIT ?"
        ))?;
        let rows = query.query_map((self.library.id.0, self.last, PAGE), |row| {
            let folder = self.library.root.join(path_of_bytes(row.get(1)?));
            let path = folder.join(path_of_bytes(row.get(2)?));
            let size: i64 = row.get(4)?;
            Ok(Task { id: FileId(row.get(0)?), path, role: row.get(5)?, size: size.max(0) as u64 })
        })?;
        self.page = rows.collect::<Result<_, _>>()?;
        self.last = self.page.back().map_or(self.last, |task| task.id.0);
        Ok(())
    }
}

/// Hands files to the workers and writes what they found.
struct Writer<'a> {
    state: &'a State,
    library: &'a LibraryRow,
    model: Option<ModelId>,
    queue: Queue<'a>,
    total: u64,
    report: &'a mut ScanReport,
    bytes: u64,
}

impl Writer<'_> {
    fn run(
        &mut self,
        tasks: Sender<Task>,
        outcomes: &Receiver<Outcome>,
        most: usize,
        watcher: &mut Watcher<'_>,
    ) -> Result<(), ScanError> {
        let connection = self.state.connection();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let (mut in_flight, mut rows, mut committed, mut exhausted) = (0, 0, Instant::now(), false);
        loop {
            if (watcher.stop)() {
                self.report.interrupted = true;
            }
            while !exhausted
                && !self.report.interrupted
                && in_flight < if self.queue.suspects { 1 } else { most }
            {
                match self.queue.next()? {
                    // The workers live as long as this does.
                    Some(task) => drop(tasks.send(task)),
                    None => {
                        exhausted = true;
                        break;
                    }
                }
                in_flight += 1;
            }
            if in_flight == 0 {
                break;
            }
            match outcomes.recv_timeout(Duration::from_millis(200)) {
                Ok(outcome) => {
                    in_flight -= 1;
                    rows += 1;
                    self.write(outcome, watcher)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if rows >= ROWS_A_COMMIT || committed.elapsed() >= COMMIT_EVERY {
                connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
                (rows, committed) = (0, Instant::now());
                (watcher.on_event)(ScanEvent::Reading {
                    done: self.report.read,
                    total: self.total,
                    bytes: self.bytes,
                });
            }
        }
        if !self.report.interrupted {
            connection.execute(
                "UPDATE scan SET ended = ? WHERE id = (SELECT max(id) FROM scan WHERE library = ?)",
                (now(), self.library.id.0),
            )?;
        }
        connection.execute_batch("COMMIT")?;
        (watcher.on_event)(ScanEvent::Reading {
            done: self.report.read,
            total: self.total,
            bytes: self.bytes,
        });
        Ok(())
    }

    fn write(&mut self, outcome: Outcome, watcher: &mut Watcher<'_>) -> Result<(), ScanError> {
        self.report.read += 1;
        self.bytes += outcome.bytes;
        if outcome.state == FileState::Unreadable {
            self.report.unreadable += 1;
            let path = outcome.path.strip_prefix(&self.library.root).unwrap_or(&outcome.path).to_owned();
            let reason = outcome.reason.clone().unwrap_or_default();
            (watcher.on_event)(ScanEvent::Unreadable { path, reason });
        }
        let connection = self.state.connection();
        let Some(content) = outcome.content else {
            connection
                .prepare_cached("UPDATE file SET state = ?, reason = ?, crashes = 0 WHERE id = ?")?
                .execute((outcome.state, outcome.reason, outcome.id.0))?;
            return Ok(());
        };
        let stamp = content.stamp;
        connection
            .prepare_cached(
                "UPDATE file SET state = ?2, reason = ?3, crashes = 0, size = ?4, mtime_ns = ?5, ctime_ns = ?6, \
                 dev = ?7, inode = ?8, nlink = ?9, file_hash = ?10, payload_hash = ?11 WHERE id = ?1",
            )?
            .execute((
                outcome.id.0,
                outcome.state,
                outcome.reason,
                stamp.size,
                stamp.mtime_ns,
                stamp.ctime_ns,
                stamp.dev,
                stamp.inode,
                stamp.nlink,
                content.file_hash,
                content.payload_hash,
            ))?;
        self.state.put_reading(outcome.id, &content.reading)?;
        if let (Some(payload), Some(model), Some(predictions)) =
            (content.payload_hash, self.model, content.predictions)
        {
            self.state.put_predictions(payload, model, &predictions)?;
        }
        Ok(())
    }
}
