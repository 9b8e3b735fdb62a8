//! Whether the server lives, and whether it takes photos.

use axum::extract::State;

use crate::error::{ApiError, ErrorType};
use crate::routing::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    // `/ping` is what SageMaker asks.
    Routes::new().get_open("/health", health).get_open("/ready", ready).get_open("/ping", ready)
}

/// The process lives.
async fn health() -> &'static str {
    "ok\n"
}

/// Photos are taken.
async fn ready(State(state): State<AppState>) -> Result<&'static str, ApiError> {
    if state.is_ready() {
        Ok("ready\n")
    } else {
        Err(ApiError::new(
            ErrorType::Stopping,
            "not ready: the model is not warm yet, or the server is stopping",
        ))
    }
}
