//! `GET /v1/landmarks` and `GET /v1/model`: what the model knows, and how it answers.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use cairn_model::rows::ModelIdentity;
use cairn_model::{OodScore, TestViews};
use cairn_places::Place;
use serde::Serialize;
use serde_json::{Value, json};

use crate::accept::accepted;
use crate::config::Limits;
use crate::error::ApiError;
use crate::json_answer::json_response;
use crate::routing::Routes;
use crate::state::AppState;
use cairn_map::geojson::{self, collection, feature, place_feature};

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/landmarks", landmarks).get("/v1/model", model)
}

/// A landmark that the model knows.
#[derive(Debug, Serialize)]
struct KnownLandmark<'a> {
    class: &'a str,
    name: &'a str,
    place: Option<&'a Place>,
}

#[derive(Debug, Serialize)]
struct Landmarks<'a> {
    model: &'a ModelIdentity,
    landmarks: Vec<KnownLandmark<'a>>,
}

async fn landmarks(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let as_geojson = accepted(
        &headers,
        &[("application/json", false), (geojson::MEDIA_TYPE, true), ("application/vnd.geo+json", true)],
    )?;
    let served = state.served();
    let classes = served.model.classes();
    let known = classes.iter().map(|(_, class)| KnownLandmark {
        class: &class.folder,
        name: served.model.landmark_name(class),
        place: served.model.places().find(&class.folder),
    });
    if !as_geojson {
        return json_response(&Landmarks { model: &served.identity, landmarks: known.collect() });
    }
    let features = known.map(|landmark| {
        let mut found = landmark.place.map_or_else(|| feature(Value::Null, json!({})), place_feature);
        found["properties"]["class"] = json!(landmark.class);
        found["properties"]["name"] = json!(landmark.name);
        found
    });
    Ok(([(header::CONTENT_TYPE, geojson::MEDIA_TYPE)], collection(features.collect()).to_string())
        .into_response())
}

/// The model, how it answers, and every limit in force.
#[derive(Debug, Serialize)]
struct ModelAnswer<'a> {
    #[serde(flatten)]
    identity: &'a ModelIdentity,
    network: String,
    version: &'static str,
    classes: usize,
    /// Pixels of a view.
    input_width: u32,
    input_height: u32,
    views: TestViews,
    precision: String,
    score: OodScore,
    threshold: Option<f64>,
    sure: Option<f64>,
    limits: LimitsInForce,
    urls: &'a [String],
    feedback: bool,
    index: Option<usize>,
    key: bool,
}

#[derive(Debug, Serialize)]
struct LimitsInForce {
    max_photo: u64,
    max_request: u64,
    max_photos: usize,
    max_memory: u64,
    queue: usize,
    max_batch: usize,
    workers: usize,
    connections: usize,
    deadline_seconds: f64,
    upload_idle_seconds: f64,
}

impl LimitsInForce {
    fn of(limits: &Limits) -> Self {
        Self {
            max_photo: limits.max_photo,
            max_request: limits.max_request,
            max_photos: limits.max_photos,
            max_memory: limits.max_memory,
            queue: limits.queue,
            max_batch: limits.max_batch,
            workers: limits.workers,
            connections: limits.connections,
            deadline_seconds: limits.deadline.as_secs_f64(),
            upload_idle_seconds: limits.upload_idle.as_secs_f64(),
        }
    }
}

async fn model(State(state): State<AppState>) -> Result<Response, ApiError> {
    let served = state.served();
    let info = served.model.info();
    json_response(&ModelAnswer {
        identity: &served.identity,
        network: info.network.architecture.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        classes: served.model.classes().len(),
        input_width: info.preprocess.input_width(),
        input_height: info.preprocess.input_height(),
        views: served.model.views(),
        precision: served.model.number_type().to_owned(),
        score: served.model.landmark_score(),
        threshold: served.model.threshold(),
        sure: info.rejection.and_then(|rejection| rejection.sure),
        limits: LimitsInForce::of(state.limits()),
        urls: &state.config().allow_urls,
        feedback: state.config().feedback.is_some(),
        index: served.index.as_ref().map(|index| index.len()),
        key: !state.config().keys.is_empty(),
    })
}
