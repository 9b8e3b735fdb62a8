//! A thread that looks at one photo after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cairn_model::{PhotoError, PhotoSource};
use cairn_photo::{PhotoMetadata, panic_message};
use rayon::ThreadPool;

use super::explanation::explain;
use super::job::{Job, PhotoOutput, PhotoTiming};
use super::pace::Pace;
use super::queue::Queue;
use crate::error::{ApiError, ErrorType};
use crate::metrics::Metrics;

/// A worker, in a thread pool of its own thread alone.
pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) pace: Arc<Pace>,
    pub(super) all_threads: Arc<ThreadPool>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) alive: Arc<AtomicUsize>,
}

impl Worker {
    /// Works until the queue is closed.
    pub(super) fn run(self) {
        while let Some(job) = self.queue.take() {
            self.handle(job);
            self.queue.done();
        }
    }

    fn handle(&self, mut job: Job) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.outcome(&mut job)));
        let outcome = outcome.unwrap_or_else(|panic| {
            Some(Err(ApiError::internal(format!(
                "internal error ({}): please report it, with the photo",
                panic_message(&*panic).unwrap_or("unknown")
            ))))
        });
        let Job { answer, place, memory, bytes, .. } = job;
        // Its places are free before the client reads the answer.
        drop((bytes, memory, place));
        if let Some(outcome) = outcome {
            // Whoever asked may be gone.
            drop(answer.send(outcome));
        }
    }

    /// The answer; `None` where nobody waits for it any more.
    fn outcome(&self, job: &mut Job) -> Option<Result<PhotoOutput, ApiError>> {
        let begun = Instant::now();
        if job.answer.is_closed() {
            return None;
        }
        // The first time that it is set.
        let _ = job.begun.set(begun);
        if begun > job.deadline.end() {
            return Some(Err(job.deadline.missed(Some(begun))));
        }
        let outcome = self.answer(job, begun);
        self.pace.observe(begun.elapsed());
        outcome
    }

    /// The answer to a photo that is taken; `None` where its client left meanwhile.
    fn answer(&self, job: &mut Job, begun: Instant) -> Option<Result<PhotoOutput, ApiError>> {
        let queue = begun - job.queued;
        self.metrics.queued(queue);
        let model = &job.served.model;
        let name = std::mem::take(&mut job.name);
        let metadata = PhotoMetadata::from_bytes(&job.bytes);
        let photo = match model.load_photo(PhotoSource::bytes(job.bytes.clone(), name.clone())) {
            Ok(photo) => photo,
            Err(error) => return Some(Err(refusal(&error))),
        };
        let decoded = Instant::now();
        self.metrics.decoded(decoded - begun);
        if job.answer.is_closed() {
            return None;
        }
        let look = || model.output_of(&photo);
        let output = if self.queue.is_otherwise_idle() { self.all_threads.install(look) } else { look() };
        let mut prediction = model.prediction(&output, job.landmarks);
        if let Some(threshold) = job.threshold {
            prediction.is_landmark = Some(prediction.landmark_score >= threshold);
        }
        // It was checked against this model before.
        prediction.set = job.coverage.and_then(|coverage| model.landmark_set(&output, coverage).ok());
        let explanation = match &job.explain {
            None => None,
            Some(options) => match explain(model, &job.bytes, &name, &output, options) {
                Ok(explanation) => Some(explanation),
                Err(error) => return Some(Err(error)),
            },
        };
        let timing = PhotoTiming { queue, decode: decoded - begun, inference: decoded.elapsed() };
        self.metrics.inferred(timing.inference);
        Some(Ok(PhotoOutput { prediction, output, metadata, explanation, timing }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a client is told of a photo that cannot be read, without its name.
fn refusal(error: &PhotoError) -> ApiError {
    let error_type = match error {
        PhotoError::Unsupported { .. } | PhotoError::NotAPhoto { .. } => ErrorType::Format,
        PhotoError::TooLarge { .. }
        | PhotoError::TooMuchMemory { .. }
        | PhotoError::MoreThanBudget { .. } => ErrorType::TooLarge,
        _ => ErrorType::Photo,
    };
    ApiError::new(error_type, error.reason())
}
