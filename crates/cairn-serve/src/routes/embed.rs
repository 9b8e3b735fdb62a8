//! `POST /v1/embed` and `POST /v1/similar`: photos as directions, and the photos that are most like one.

use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cairn_model::Likeness;
use cairn_model::rows::ModelIdentity;
use serde::{Deserialize, Serialize};

use crate::accept::accepted;
use crate::error::{ApiError, ErrorType};
use crate::json_answer::json_response;
use crate::photos::{PhotoAnswer, PredictOptions};
use crate::query::checked;
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/embed", embed).post("/v1/similar", similar)
}

/// A photo's embedding: also a line of the file that `--index` takes.
#[derive(Debug, Serialize)]
struct EmbeddingRow<'a> {
    photo: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a ModelIdentity>,
}

#[derive(Debug, Serialize)]
struct Embeddings<'a> {
    model: &'a ModelIdentity,
    embeddings: Vec<EmbeddingRow<'a>>,
}

async fn embed(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let as_lines = accepted(
        request.headers(),
        &[("application/json", false), ("application/x-ndjson", true), ("application/jsonl", true)],
    )?;
    let photos = state.receive(request).await?.photos;
    let seen = PhotosSeen::of(&state, &photos);
    let predictions = state.predict(photos, &PredictOptions::default()).await?;
    if let Some(error) = predictions.error() {
        return Err(error.clone());
    }
    let model = &predictions.served.identity;
    let row = |photo| EmbeddingRow::of(photo, as_lines.then_some(model));
    let rows: Vec<EmbeddingRow<'_>> = predictions.photos.iter().map(row).collect();
    let mut response = if as_lines {
        let lines: Result<Vec<String>, _> =
            rows.iter().map(|row| Ok(format!("{}\n", serde_json::to_string(row)?))).collect();
        let lines = lines.map_err(|error: serde_json::Error| ApiError::internal(error.to_string()))?;
        ([(header::CONTENT_TYPE, "application/x-ndjson")], lines.concat()).into_response()
    } else {
        json_response(&Embeddings { model, embeddings: rows })?
    };
    response.extensions_mut().insert(seen);
    Ok(response)
}

impl<'a> EmbeddingRow<'a> {
    fn of(photo: &'a PhotoAnswer, model: Option<&'a ModelIdentity>) -> Self {
        let (embedding, error) = match &photo.outcome {
            Ok(output) => (Some(output.output.embedding.values()), None),
            Err(error) => (None, Some(error.message.as_str())),
        };
        Self { photo: &photo.name, embedding, error, model }
    }
}

#[derive(Debug, Deserialize)]
struct SimilarQuery {
    #[serde(default = "ten")]
    k: usize,
}

fn ten() -> usize {
    10
}

#[derive(Debug, Serialize)]
struct Similar<'a> {
    photo: &'a str,
    model: &'a ModelIdentity,
    /// How many photos were ranked.
    among: usize,
    similar: Vec<Likeness<'a>>,
}

async fn similar(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let Query(query) = checked(Query::<SimilarQuery>::try_from_uri(request.uri()))?;
    if query.k == 0 {
        return Err(ApiError::validation("k=0 shows nothing; ask for at least one photo"));
    }
    if state.served().index.is_none() {
        return Err(ApiError::new(
            ErrorType::NotFound,
            "the server was started without photos to compare with (--index)",
        ));
    }
    let photos = state.receive(request).await?.photos;
    let seen = PhotosSeen::of(&state, &photos);
    if photos.len() != 1 {
        return Err(ApiError::validation(format!("{} photos; others are ranked by one", photos.len())));
    }
    let predictions = state.predict(photos, &PredictOptions::default()).await?;
    let photo = predictions.photos.first().ok_or_else(|| ApiError::internal("a photo has an answer"))?;
    let output = photo.outcome.as_ref().map_err(Clone::clone)?;
    let served = &predictions.served;
    let index = served.index.as_ref().ok_or_else(|| ApiError::internal("the index is gone"))?;
    let mut response = json_response(&Similar {
        photo: &photo.name,
        model: &served.identity,
        among: index.len(),
        similar: index.nearest(&output.output.embedding, query.k),
    })?;
    response.extensions_mut().insert(seen);
    Ok(response)
}
