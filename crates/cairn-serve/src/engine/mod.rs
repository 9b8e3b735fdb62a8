//! From a photo's bytes to an answer, on threads of its own.
//!
//! Each worker takes the next photo that waits, decodes it and shows it to the network, on its own thread alone: many photos
//! on one thread each take less time than one photo on many threads, and a photo goes through the network by itself anyway,
//! so that its answer never depends on what else is asked. A photo that has the server for itself is looked at by all threads
//! together. There is no timer: nothing waits for company.

mod explanation;
mod job;
mod pace;
mod queue;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

pub use explanation::{ExplainOptions, Explanation};
pub(crate) use job::Job;
pub use job::{PhotoOutput, PhotoTiming};
use pace::Pace;
use queue::Queue;
use worker::Worker;

use crate::metrics::Metrics;

/// The threads that look at photos.
#[derive(Debug)]
pub(crate) struct Engine {
    queue: Arc<Queue>,
    pace: Arc<Pace>,
    /// Workers that live.
    alive: Arc<AtomicUsize>,
    workers: usize,
}

impl Engine {
    /// Starts so many workers.
    pub(crate) fn start(workers: usize, metrics: &Arc<Metrics>) -> Result<Self, ThreadPoolBuildError> {
        let (queue, alive) = (Arc::new(Queue::default()), Arc::new(AtomicUsize::new(workers)));
        let pace = Arc::new(Pace::new(workers));
        let all_threads = Arc::new(pool(workers, "all")?);
        for _ in 0..workers {
            let worker = Worker {
                queue: Arc::clone(&queue),
                pace: Arc::clone(&pace),
                all_threads: Arc::clone(&all_threads),
                metrics: Arc::clone(metrics),
                alive: Arc::clone(&alive),
            };
            // The pool ends after its last job, which this is.
            pool(1, "photo")?.spawn(move || worker.run());
        }
        Ok(Self { queue, pace, alive, workers })
    }

    /// Has a photo looked at; the answer comes by the job's channel.
    pub(crate) fn submit(&self, job: Job) {
        self.queue.push(job);
    }

    /// When the last of so many photos will be answered, as fast as photos were lately.
    pub(crate) fn wait(&self, photos: usize) -> Duration {
        self.pace.wait(photos)
    }

    /// A worker took this long for a photo, whatever it took.
    #[cfg(test)]
    pub(crate) fn observe(&self, took: Duration) {
        self.pace.observe(took);
    }

    /// Whether all workers live.
    pub(crate) fn is_whole(&self) -> bool {
        self.alive.load(Ordering::Relaxed) == self.workers
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn pool(threads: usize, name: &'static str) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(threads).thread_name(move |_| name.to_owned()).build()
}
