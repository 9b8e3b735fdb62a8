//! The thread that an executor labels on: one task at a time, each on all of the processor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::mpsc;

use crate::{Job, Labelling, ShardOutcome, TaskError, Worker};

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
        thread::Builder::new().name("label".to_owned()).spawn(move || work(worker, &tasks, watch))?;
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

/// The task that is under way, if one is: whether it is wanted.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<Option<Wanted>>>);

/// Whether a task is cancelled, and who takes its reports.
type Wanted = (Arc<AtomicBool>, mpsc::Sender<Report>);

impl UnderWay {
    fn set(&self, task: Option<Wanted>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }

    fn is_unwanted(&self) -> bool {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        task.as_ref()
            .is_some_and(|(cancelled, reports)| cancelled.load(Ordering::Relaxed) || reports.is_closed())
    }
}

fn work(worker: Worker, tasks: &Receiver<Task>, mut watch: Watch) {
    let under_way = UnderWay::default();
    let (outer, now) = (Arc::clone(&worker.stop), under_way.clone());
    let worker = Worker { stop: Arc::new(move || now.is_unwanted() || outer()), ..worker };
    // Tasks of one job follow each other.
    let mut opened: Option<(Arc<Job>, Labelling)> = None;
    for Task { job, shards, cancelled, reports } in tasks {
        under_way.set(Some((cancelled, reports.clone())));
        let mut tell = |outcome: ShardOutcome| {
            watch(&job, &outcome);
            // Whoever took them may be gone: that stops the work.
            drop(reports.blocking_send(Report::Outcome(outcome)));
        };
        let label = || {
            let before = opened.take().filter(|(before, _)| *before == job);
            let labelling = before.map_or_else(|| worker.open(&job), |(_, labelling)| Ok(labelling))?;
            let labelled = labelling.label(&shards, &mut tell);
            opened = Some((Arc::clone(&job), labelling));
            labelled
        };
        let ended = catch_unwind(AssertUnwindSafe(label)).unwrap_or_else(|_| {
            Err(TaskError::Passing(format!("{}: internal error while labelling", worker.name)))
        });
        drop(reports.blocking_send(Report::End(ended)));
        under_way.set(None);
    }
}
