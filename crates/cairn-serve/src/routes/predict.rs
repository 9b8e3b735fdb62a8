//! `POST /v1/predict`: the landmarks in photos.

use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Routes;
use crate::error::ApiError;
use crate::photos::{PredictOptions, Predictions};
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/predict", predict)
}

async fn predict(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let submission = state.receive(request).await?;
    let predictions = state.predict(submission.photos, &PredictOptions::default()).await?;
    let rows: Vec<_> = predictions.photos.iter().map(|photo| photo.row(&predictions.served)).collect();
    let json = serde_json::to_string(&rows).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
