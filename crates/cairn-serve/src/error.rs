//! What a request is refused with: `{"error": "text", "error_type": "..."}`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The kind of an error, by which programs tell errors apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The photo is damaged, or cannot be explained.
    Photo,
    /// The photo's format is not read, or the body's.
    Format,
    /// No answer exists in an accepted format.
    NotAcceptable,
    /// More bytes, pixels or photos than the limits allow.
    TooLarge,
    /// The request does not say what it should.
    Validation,
    /// All places are taken; try again.
    Overloaded,
    /// No key, or an unknown one.
    Unauthorised,
    /// This host or origin is not served.
    Forbidden,
    /// There is no such path.
    NotFound,
    /// The path exists for other methods.
    Method,
    /// The upload paused for too long.
    SlowUpload,
    /// The answer took longer than the deadline.
    Timeout,
    /// The server is stopping.
    Stopping,
    /// A fault of the server.
    Internal,
}

impl ErrorType {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Photo,
        Self::Format,
        Self::NotAcceptable,
        Self::TooLarge,
        Self::Validation,
        Self::Overloaded,
        Self::Unauthorised,
        Self::Forbidden,
        Self::NotFound,
        Self::Method,
        Self::SlowUpload,
        Self::Timeout,
        Self::Stopping,
        Self::Internal,
    ];

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Photo => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Format => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Validation => StatusCode::BAD_REQUEST,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowUpload => StatusCode::REQUEST_TIMEOUT,
            Self::Timeout | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Format => "format",
            Self::NotAcceptable => "not_acceptable",
            Self::TooLarge => "too_large",
            Self::Validation => "validation",
            Self::Overloaded => "overloaded",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::SlowUpload => "slow_upload",
            Self::Timeout => "timeout",
            Self::Stopping => "stopping",
            Self::Internal => "internal",
        }
    }
}

/// Why a request, or one photo of it, is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Its kind.
    pub error_type: ErrorType,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error of this kind.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into(), retry_after: None }
    }

    /// A request that does not say what it should.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorType::Validation, message)
    }

    /// More than a limit allows; `message` names the limit and its flag.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorType::TooLarge, message)
    }

    /// All places are taken. Another try after a second finds the queue shorter.
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(ErrorType::Overloaded, message) }
    }

    /// The same error, with this time to come again.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Whether the server is why there is no answer, its load or a fault of its own, and not what was asked.
    pub fn is_of_server(&self) -> bool {
        self.error_type == ErrorType::Overloaded || self.status().is_server_error()
    }

    /// The answer took longer than the deadline.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self { retry_after: Some(Duration::from_secs(5)), ..Self::new(ErrorType::Timeout, message) }
    }

    /// A fault of the server.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorType::Internal, message)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.error_type.status()
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_type: ErrorType,
}

/// The kind of an answer's error, for metrics and logs; carried beside the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal(pub ErrorType);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: &self.message, error_type: self.error_type };
        // A text and a word are always JSON.
        let json = serde_json::to_string(&body).unwrap_or_default();
        let mut response =
            (self.status(), [(header::CONTENT_TYPE, "application/json")], json).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if self.error_type == ErrorType::Unauthorised {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Refusal(self.error_type));
        response
    }
}
