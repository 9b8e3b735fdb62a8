//! A photo on its way through the engine.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cairn_model::{ModelOutput, Prediction};
use cairn_photo::PhotoMetadata;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::explanation::{ExplainOptions, Explanation};
use crate::ServedModel;
use crate::admission::SharedPermit;
use crate::deadline::Deadline;
use crate::error::ApiError;

/// A photo, what is asked of it, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
    /// The memory of its bytes.
    pub(crate) memory: Option<SharedPermit>,
    /// Its place among the photos that are accepted and not yet answered.
    pub(crate) place: OwnedSemaphorePermit,
    pub(crate) served: Arc<ServedModel>,
    pub(crate) landmarks: usize,
    pub(crate) threshold: Option<f64>,
    pub(crate) coverage: Option<f64>,
    pub(crate) explain: Option<ExplainOptions>,
    pub(crate) queued: Instant,
    pub(crate) deadline: Deadline,
    /// When a worker took it.
    pub(crate) begun: Arc<OnceLock<Instant>>,
    pub(crate) answer: oneshot::Sender<Result<PhotoOutput, ApiError>>,
}

/// What the model says of a photo.
#[derive(Debug, Clone)]
pub struct PhotoOutput {
    /// The likeliest landmarks, and whether it shows one at all.
    pub prediction: Prediction,
    /// The network's output, by the model's views.
    pub output: ModelOutput,
    /// What its camera says of it.
    pub metadata: PhotoMetadata,
    /// The heat map, if it was asked for.
    pub explanation: Option<Explanation>,
    /// How long each step took.
    pub timing: PhotoTiming,
}

/// How long a photo waited and was worked on.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhotoTiming {
    /// From its acceptance to a worker.
    pub queue: Duration,
    /// From bytes to pixels.
    pub decode: Duration,
    /// From pixels to the answer.
    pub inference: Duration,
}
