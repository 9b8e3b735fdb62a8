//! The same answers in the forms of other services, so that their clients need no new code.

mod google_vision;
mod hugging_face;
mod photo_size;
mod photoprism;
#[cfg(test)]
pub(crate) mod sample;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;

use crate::json_answer::json;
use crate::routing::Routes;

/// The routes of other services.
pub(crate) fn routes() -> Routes {
    hugging_face::routes().merge(google_vision::routes()).merge(photoprism::routes())
}

/// An error as cairn says it.
#[derive(Deserialize)]
struct OwnError {
    error: String,
    #[serde(rename = "error_type")]
    _kind: String,
}

/// Longer errors are cairn's own in no case.
const MOST_ERROR_BYTES: usize = 64 << 10;

/// An answer of `route` in the form that its clients read: whatever refused the request, Google's clients find their
/// error in it, and PhotoPrism finds its own.
pub(crate) async fn shaped(route: &str, response: Response) -> Response {
    let status = response.status();
    let is_google = google_vision::PATHS.contains(&route);
    if status.is_success() || !(is_google || photoprism::PATHS.contains(&route)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, MOST_ERROR_BYTES).collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let Ok(OwnError { error, .. }) = serde_json::from_slice(&body) else {
        return Response::from_parts(parts, body.into());
    };
    // Google refuses a missing or unknown key by 403; at 401 its client would ask for another token, which there is none of.
    if is_google && status == StatusCode::UNAUTHORIZED {
        parts.status = StatusCode::FORBIDDEN;
    }
    let code = parts.status.as_u16();
    let shaped = if is_google {
        json(&google_vision::ErrorResponse::new(code, error))
    } else {
        json(&photoprism::ErrorResponse { id: "", code, error })
    };
    let Ok(shaped) = shaped else { return Response::from_parts(parts, body.into()) };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, shaped.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;
    use axum::response::IntoResponse;
    use serde_json::{Value, json};

    async fn refused(route: &str) -> Value {
        let response = shaped(route, ApiError::overloaded("busy").into_response()).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &"1".parse().unwrap())
        );
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[test]
    fn errors_take_the_form_of_the_service_whose_path_it_is() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let google = json!({"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}});
            assert_eq!(refused(google_vision::PATHS[2]).await, google);
            assert_eq!(refused(photoprism::PATHS[0]).await, json!({"id": "", "code": 429, "error": "busy"}));
            assert_eq!(refused("/").await, json!({"error": "busy", "error_type": "overloaded"}));
        });
    }
}
