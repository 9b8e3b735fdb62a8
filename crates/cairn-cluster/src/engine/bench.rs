//! The thread that an executor labels on: one task at a time, each on all of the processor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, thread};

use tokio::sync::mpsc;

use crate::{Job, ShardOutcome, TaskError, Worker};

/// Outcomes that wait to be taken.
const WAITING: usize = 16;

/// What comes of a task.
pub(super) enum Report {
    /// A shard's outcome.
    Outcome(ShardOutcome),
    /// The last of a task.
    End(Result<(), TaskError>),
}

struct Task {
    job: Arc<Job>,
    shards: Vec<usize>,
    cancelled: Arc<AtomicBool>,
    reports: mpsc::Sender<Report>,
}

/// Who wants to know of each shard that is done here.
pub(super) type Watch = Box<dyn FnMut(&Job, &ShardOutcome) + Send>;

/// A thread that labels. It is not one of the engine's: those run at a lower priority, which threads inherit.
#[derive(Debug, Clone)]
pub(super) struct Bench(Sender<Task>);

impl Bench {
    /// Starts the thread. It ends when all who could give it tasks are gone.
    pub(super) fn start(worker: Worker, watch: Watch) -> io::Result<Self> {
        let (send, tasks) = channel();
        thread::Builder::new().name("label".to_owned()).spawn(move || work(&worker, &tasks, watch))?;
        Ok(Self(send))
    }

    /// Hands it a task, which begins when those before it have ended. It stops after the photo at which `cancelled` is set, or
    /// when nobody takes its reports any more.
    pub(super) fn begin(
        &self,
        job: Arc<Job>,
        shards: Vec<usize>,
        cancelled: Arc<AtomicBool>,
    ) -> mpsc::Receiver<Report> {
        let (reports, taken) = mpsc::channel(WAITING);
        // If the thread is gone the reports end without an end, which is an error to whoever takes them.
        drop(self.0.send(Task { job, shards, cancelled, reports }));
        taken
    }
}

fn work(worker: &Worker, tasks: &Receiver<Task>, mut watch: Watch) {
    for Task { job, shards, cancelled, reports } in tasks {
        let (stop, unwanted) = (Arc::clone(&worker.stop), reports.clone());
        let stop = move || cancelled.load(Ordering::Relaxed) || unwanted.is_closed() || stop();
        let worker = Worker { stop: Arc::new(stop), ..worker.clone() };
        let mut tell = |outcome: ShardOutcome| {
            watch(&job, &outcome);
            // Whoever took them may be gone: that stops the work.
            drop(reports.blocking_send(Report::Outcome(outcome)));
        };
        let label = || worker.label(&job, &shards, &mut tell);
        let ended = catch_unwind(AssertUnwindSafe(label)).unwrap_or_else(|_| {
            Err(TaskError::Passing(format!("{}: internal error while labelling", worker.name)))
        });
        drop(reports.blocking_send(Report::End(ended)));
    }
}
