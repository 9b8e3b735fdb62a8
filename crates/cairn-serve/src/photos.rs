//! Photos as clients send them, and what becomes of each.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_model::rows::{Camera, Row, RowOutcome};

use crate::ServedModel;
use crate::admission::SharedPermit;
use crate::engine::{ExplainOptions, PhotoOutput};
use crate::error::ApiError;

/// A photo that a client sent.
#[derive(Debug, Clone)]
pub struct SubmittedPhoto {
    /// What the client calls it.
    pub name: String,
    /// The bytes of its file; or why there are none, such as base64 that is none.
    pub bytes: Result<Bytes, ApiError>,
    /// The memory of the body that it came in.
    pub(crate) memory: Option<SharedPermit>,
}

/// What is asked of photos.
#[derive(Debug, Clone)]
pub struct PredictOptions {
    /// How many landmarks are named for each.
    pub landmarks: usize,
    /// From which score on a photo is taken to show a landmark, instead of the model's own.
    pub threshold: Option<f64>,
    /// How often the truth is to be in a set of landmarks beside, if one is wanted.
    pub coverage: Option<f64>,
    /// The heat map that is wanted beside, if one is.
    pub explain: Option<ExplainOptions>,
}

impl Default for PredictOptions {
    /// Three landmarks, as `cairn predict` names in JSON.
    fn default() -> Self {
        Self { landmarks: 3, threshold: None, coverage: None, explain: None }
    }
}

/// What became of a photo.
#[derive(Debug, Clone)]
pub struct PhotoAnswer {
    /// Its place among the photos of its request, from 0.
    pub index: usize,
    /// What the client calls it.
    pub name: String,
    /// What the model says of it, or why it says nothing.
    pub outcome: Result<PhotoOutput, ApiError>,
}

/// What became of a request's photos, in their order.
#[derive(Debug, Clone)]
pub struct Predictions {
    /// The model that answered.
    pub served: Arc<ServedModel>,
    /// An answer for each photo.
    pub photos: Vec<PhotoAnswer>,
}

impl PhotoAnswer {
    /// The row that `cairn predict --format json` writes of it.
    pub fn row<'a>(&'a self, served: &'a ServedModel) -> Row<'a> {
        let (outcome, metadata) = match &self.outcome {
            Ok(output) => (RowOutcome::Prediction(&output.prediction), Some(&output.metadata)),
            Err(error) => (RowOutcome::Unreadable { error: error.message.clone() }, None),
        };
        let mut row = Row {
            photo: self.name.clone(),
            camera: None,
            outcome,
            stamp: None,
            model: Some(&served.identity),
        };
        row.camera = metadata.and_then(|metadata| Camera::from_metadata(metadata.clone(), row.landmark()));
        row
    }
}

impl Predictions {
    /// The error of the whole: of a photo that was alone, and of photos not one of which was answered in time.
    pub(crate) fn error(&self) -> Option<&ApiError> {
        let first = self.photos.first()?.outcome.as_ref().err()?;
        let same = |photo: &PhotoAnswer| {
            photo.outcome.as_ref().is_err_and(|error| error.error_type == first.error_type)
        };
        let of_whole = self.photos.len() == 1 || first.is_of_server() && self.photos.iter().all(same);
        of_whole.then_some(first)
    }

    /// The answer to the only photo of a request.
    pub(crate) fn into_only(self) -> Result<PhotoOutput, ApiError> {
        let photo = self.photos.into_iter().next();
        photo.ok_or_else(|| ApiError::internal("a photo has no answer"))?.outcome
    }

    /// `Server-Timing`: the time in the queue, in decoding and in inference, of all photos together.
    pub fn server_timing(&self) -> String {
        let outputs = || self.photos.iter().filter_map(|photo| photo.outcome.as_ref().ok());
        let sum =
            |step: fn(&PhotoOutput) -> Duration| outputs().map(step).sum::<Duration>().as_secs_f64() * 1e3;
        format!(
            "queue;dur={:.1}, decode;dur={:.1}, inference;dur={:.1}",
            sum(|output| output.timing.queue),
            sum(|output| output.timing.decode),
            sum(|output| output.timing.inference)
        )
    }
}
