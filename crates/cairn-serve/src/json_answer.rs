//! Answers in JSON.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use cairn_dataset::escape::json_text;
use serde::Serialize;

use crate::error::ApiError;

/// The text of an answer. Control characters are escaped, as `cairn predict` escapes them.
pub(crate) fn json(answer: &impl Serialize) -> Result<String, ApiError> {
    let json = serde_json::to_string(answer).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(json_text(&json).into_owned())
}

/// An answer.
pub(crate) fn json_response(answer: &impl Serialize) -> Result<Response, ApiError> {
    Ok(([(header::CONTENT_TYPE, "application/json")], json(answer)?).into_response())
}
