//! Landmark detection as Google's Cloud Vision speaks it over REST: `images:annotate`.

mod request;
mod response;

use axum::extract::{Request, State};
use axum::response::Response;

use crate::admission::BodyKind;
use crate::compatible::photo_size;
use crate::error::ApiError;
use crate::json_answer::json_response;
use crate::photos::{PhotoAnswer, PredictOptions, SubmittedPhoto};
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;
use request::{BatchRequest, Question};
use response::{BatchResponse, ImageResponse, Status};

pub(super) use response::ErrorResponse;

/// The paths that Google's clients know; project and location play no role.
pub(super) const PATHS: [&str; 3] = [
    "/v1/images:annotate",
    "/v1/projects/{project}/images:annotate",
    "/v1/projects/{project}/locations/{location}/images:annotate",
];

pub(super) fn routes() -> Routes {
    PATHS.into_iter().fold(Routes::new(), |routes, path| routes.post(path, annotate))
}

async fn annotate(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let (body, memory) = state.whole_body(request.into_body(), BodyKind::Json).await?;
    let batch: BatchRequest<'_> = serde_json::from_slice(&body)
        .map_err(|error| ApiError::validation(format!("not a request of images:annotate: {error}")))?;
    state.check_count(batch.requests.len())?;
    let mut responses = Vec::with_capacity(batch.requests.len());
    let mut photos = Vec::new();
    // Of each photo: the place of its answer, the photo, to see how large it is, and how many landmarks are wanted.
    let mut asked = Vec::new();
    for (index, request) in batch.requests.into_iter().enumerate() {
        let photo = async {
            let Question { photo, max_results } = request.question()?;
            let fetched = photo.bytes(&state, &memory).await.map_err(|error| Status::of(&error))?;
            asked.push((index, fetched.bytes.clone(), max_results));
            let (name, bytes, memory) =
                (format!("image {}", index + 1), Ok(fetched.bytes), Some(fetched.memory));
            photos.push(SubmittedPhoto { name, bytes, memory });
            Ok(ImageResponse::default())
        };
        responses.push(photo.await.unwrap_or_else(ImageResponse::error));
    }
    drop(body);
    let seen = PhotosSeen::of(&state, &photos);
    if let Some(most) = asked.iter().map(|(.., max_results)| *max_results).max() {
        let options = PredictOptions { landmarks: most, ..PredictOptions::default() };
        let predictions = state.predict(photos, &options).await?;
        if let Some(error) = predictions.error().filter(|error| error.is_of_server()) {
            return Err(error.clone());
        }
        for ((index, bytes, max_results), answer) in asked.into_iter().zip(predictions.photos) {
            responses[index] = answered(&answer, &bytes, max_results);
        }
    }
    let mut response = json_response(&BatchResponse { responses })?;
    response.extensions_mut().insert(seen);
    Ok(response)
}

fn answered(answer: &PhotoAnswer, photo: &[u8], max_results: usize) -> ImageResponse {
    match &answer.outcome {
        Ok(output) => ImageResponse::landmarks(&output.prediction, photo_size::upright(photo), max_results),
        Err(error) => ImageResponse::error(Status::of(error)),
    }
}
