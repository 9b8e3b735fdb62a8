//! `GET /openapi.json`: what is served, for programs.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::description::DESCRIPTION;
use crate::error::ApiError;
use crate::json_answer::json_response;
use crate::routing::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().get_open("/openapi.json", openapi)
}

async fn openapi(State(state): State<AppState>) -> Result<Response, ApiError> {
    let mut document = DESCRIPTION.clone();
    let base = state.config().base_path.as_str();
    document["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
    if !state.config().keys.is_empty() {
        // Not without one.
        if let Some(ways) = document["security"].as_array_mut() {
            ways.retain(|way| way.as_object().is_none_or(|way| !way.is_empty()));
        }
    }
    json_response(&document)
}
