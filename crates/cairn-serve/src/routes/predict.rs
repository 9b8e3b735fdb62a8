//! `POST /v1/predict`: the landmarks in photos.

use std::pin::pin;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cairn_dataset::escape::json_text;
use cairn_model::explain::CamMethod;
use cairn_model::rows::{Detail, ModelIdentity, Row, csv_header, csv_lines};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::accept::accepted;
use crate::engine::{ExplainOptions, Explanation};
use crate::error::ApiError;
use crate::geojson::photo_feature;
use crate::json_answer::json_response;
use crate::photos::{PhotoAnswer, PredictOptions, Predictions, SubmittedPhoto};
use crate::query::checked;
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;
use cairn_map::geojson::{self, collection};

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/predict", predict)
}

/// What the query may ask.
#[derive(Debug, Deserialize)]
struct PredictQuery {
    #[serde(default = "three")]
    k: usize,
    threshold: Option<f64>,
    /// How often the truth is to be in each photo's set of landmarks.
    coverage: Option<f64>,
    /// `1`, `true`, or the name of a method.
    explain: Option<String>,
}

fn three() -> usize {
    PredictOptions::default().landmarks
}

impl PredictQuery {
    fn options(self) -> Result<PredictOptions, ApiError> {
        let explain = match self.explain.as_deref() {
            None | Some("" | "0" | "false") => None,
            Some("1" | "true") => Some(ExplainOptions::default()),
            Some(method) => Some(ExplainOptions { class: None, method: cam_method(method)? }),
        };
        Ok(PredictOptions { landmarks: self.k, threshold: self.threshold, coverage: self.coverage, explain })
    }
}

/// The method of this name.
pub(super) fn cam_method(name: &str) -> Result<CamMethod, ApiError> {
    name.parse().map_err(|error: cairn_model::explain::UnknownMethod| ApiError::validation(error.to_string()))
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    NdJson,
    Csv,
    GeoJson,
    /// The page's cards.
    Html,
}

const NDJSON: &str = "application/x-ndjson";
const FORMATS: [(&str, Format); 7] = [
    ("application/json", Format::Json),
    (NDJSON, Format::NdJson),
    ("application/jsonl", Format::NdJson),
    ("text/csv", Format::Csv),
    (geojson::MEDIA_TYPE, Format::GeoJson),
    ("application/vnd.geo+json", Format::GeoJson),
    ("text/html", Format::Html),
];

async fn predict(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let Query(query) = checked(Query::<PredictQuery>::try_from_uri(request.uri()))?;
    let options = query.options()?;
    let format = accepted(request.headers(), &FORMATS)?;
    if format == Format::Csv && options.coverage.is_some() {
        return Err(ApiError::validation(
            "coverage gives sets, which CSV has no room for; accept JSON or NDJSON",
        ));
    }
    let photos = state.receive(request).await?.photos;
    let seen = PhotosSeen::of(&state, &photos);
    // The status of one photo is the answer's, so the answer waits for it.
    let mut response = if format == Format::NdJson && photos.len() > 1 {
        streamed(&state, photos, &options).await?
    } else {
        let predictions = state.predict(photos, &options).await?;
        if let Some(error) = predictions.error() {
            return Err(error.clone());
        }
        let mut response = whole(&predictions, format)?;
        if let Ok(timing) = HeaderValue::from_str(&predictions.server_timing()) {
            response.headers_mut().insert(SERVER_TIMING, timing);
        }
        response
    };
    response.extensions_mut().insert(seen);
    Ok(response)
}

pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A row with what was asked for beside it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(flatten)]
    row: Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heat_map: Option<HeatMapEntry<'a>>,
}

/// The heat map of a photo.
#[derive(Serialize)]
struct HeatMapEntry<'a> {
    /// The landmark that it is of.
    class: &'a str,
    /// The photo under its map, as a data URL.
    png: String,
}

impl<'a> HeatMapEntry<'a> {
    fn of(explanation: &'a Explanation) -> Self {
        let png = format!("data:image/png;base64,{}", STANDARD.encode(&explanation.png));
        Self { class: &explanation.class, png }
    }
}

impl<'a> Line<'a> {
    fn of(photo: &'a PhotoAnswer, row: Row<'a>) -> Self {
        let explanation = photo.outcome.as_ref().ok().and_then(|output| output.explanation.as_ref());
        Self { index: None, row, heat_map: explanation.map(HeatMapEntry::of) }
    }
}

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    model: AnsweringModel<'a>,
    predictions: Vec<Line<'a>>,
}

/// The model, named once for all rows.
#[derive(Serialize)]
struct AnsweringModel<'a> {
    #[serde(flatten)]
    identity: &'a ModelIdentity,
    network: String,
    version: &'static str,
}

fn whole(predictions: &Predictions, format: Format) -> Result<Response, ApiError> {
    let Predictions { served, photos } = predictions;
    let rows = || photos.iter().map(|photo| photo.row(served));
    let cannot = |error: std::io::Error| ApiError::internal(error.to_string());
    match format {
        Format::Json => {
            let model = AnsweringModel {
                identity: &served.identity,
                network: served.model.info().network.architecture.to_string(),
                version: env!("CARGO_PKG_VERSION"),
            };
            let line = |photo| Line::of(photo, Row { model: None, ..PhotoAnswer::row(photo, served) });
            json_response(&Answer { model, predictions: photos.iter().map(line).collect() })
        }
        Format::NdJson => {
            let lines: Result<Vec<String>, ApiError> =
                photos.iter().map(|photo| ndjson(photo, photo.row(served))).collect();
            Ok(([(header::CONTENT_TYPE, NDJSON)], lines?.concat()).into_response())
        }
        Format::Csv => {
            let mut csv = csv_header(Detail::Whole).map_err(cannot)?;
            for row in rows() {
                csv.extend(csv_lines(&row, Detail::Whole).map_err(cannot)?);
            }
            Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response())
        }
        Format::GeoJson => {
            let features = collection(rows().map(|row| photo_feature(&row)).collect());
            Ok(([(header::CONTENT_TYPE, geojson::MEDIA_TYPE)], features.to_string()).into_response())
        }
        Format::Html => Ok(crate::page::cards_response(predictions)),
    }
}

/// Each photo as soon as it is done. A client that reads slowly keeps no photo from being done: rows wait for it in memory.
async fn streamed(
    state: &AppState,
    photos: Vec<SubmittedPhoto>,
    options: &PredictOptions,
) -> Result<Response, ApiError> {
    let (served, answers) = state.submit(photos, options).await?;
    let (rows, mut done) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = pin!(answers);
        loop {
            let photo = tokio::select! {
                biased;
                // The client is gone.
                () = rows.closed() => return,
                photo = answers.next() => photo,
            };
            let Some(photo) = photo else { return };
            let line = ndjson(&photo, photo.row(&served)).map(Bytes::from);
            if rows.send(line).is_err() {
                return;
            }
        }
    });
    let lines = stream::poll_fn(move |context| done.poll_recv(context));
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}

/// A photo's line.
fn ndjson(photo: &PhotoAnswer, row: Row<'_>) -> Result<String, ApiError> {
    let line = Line { index: Some(photo.index), ..Line::of(photo, row) };
    let json = serde_json::to_string(&line).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(format!("{}\n", json_text(&json)))
}
