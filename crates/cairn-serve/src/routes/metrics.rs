//! `GET /metrics`, for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::routing::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().get_open("/metrics", metrics)
}

async fn metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let text = state.metrics().text(state.accepted(), state.bytes_in_flight());
    let text = text.map_err(|error| ApiError::internal(error.to_string()))?;
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, openmetrics)], text).into_response())
}
