//! Image classification as Hugging Face's inference endpoints speak it: the photo, or JSON with the photo in it.

use std::borrow::Cow;

use axum::extract::{self, State};
use axum::http::header;
use axum::response::Response;
use cairn_model::Prediction;
use serde::{Deserialize, Serialize};

use crate::admission::BodyKind;
use crate::error::ApiError;
use crate::json_answer::json_response;
use crate::photos::{PredictOptions, SubmittedPhoto};
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;
use crate::submission::decoded_base64;

/// Labels in an answer where the request does not say how many.
const DEFAULT_TOP_K: usize = 5;

/// Clients post to the address that they were given. `/invocations` is what SageMaker posts to, `/predict/hf` what
/// text-embeddings-inference and others have.
pub(super) fn routes() -> Routes {
    let paths = ["/", "/invocations", "/predict/hf"];
    paths.into_iter().fold(Routes::new(), |routes, path| routes.post(path, classify))
}

async fn classify(State(state): State<AppState>, request: extract::Request) -> Result<Response, ApiError> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.map(str::to_ascii_lowercase);
    let is_photo = media_type.as_ref().is_some_and(|media_type| media_type.starts_with("image/"));
    let kind = if is_photo { BodyKind::Bytes } else { BodyKind::Json };
    let (body, memory) = state.whole_body(request.into_body(), kind).await?;
    let Request { photo, top_k } =
        read(media_type.as_deref(), body).map_err(|refusal| ApiError::validation(refusal.to_string()))?;
    state.check_photo(photo.len() as u64)?;
    let photo = SubmittedPhoto { name: "photo".to_owned(), bytes: Ok(photo.into()), memory: Some(memory) };
    let options = PredictOptions { landmarks: top_k, ..PredictOptions::default() };
    let photos = vec![photo];
    let seen = PhotosSeen::of(&state, &photos);
    let output = state.predict(photos, &options).await?.into_only()?;
    let mut response = json_response(&labels(&output.prediction))?;
    response.extensions_mut().insert(seen);
    Ok(response)
}

/// A photo, and how many labels are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    /// The photo as a file has it.
    photo: Vec<u8>,
    /// At most so many labels come back.
    top_k: usize,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(
        "the body is not a request for image classification: {0}; send a photo, or {{\"inputs\": \"<base64>\"}}"
    )]
    Json(serde_json::Error),
    #[error("`inputs`: {0}")]
    Photo(ApiError),
    #[error("`top_k` must be at least 1")]
    TopK,
    #[error(
        "`function_to_apply` is {0:?}, but only \"softmax\" is there: probabilities are calibrated by it"
    )]
    Function(String),
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    inputs: Cow<'a, str>,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
struct Parameters {
    top_k: Option<usize>,
    function_to_apply: Option<String>,
}

/// Reads a request. A body is JSON where its media type says so, or where it begins with `{`: no photo begins so.
fn read(media_type: Option<&str>, body: Vec<u8>) -> Result<Request, Refusal> {
    let says_json = media_type.is_some_and(|media_type| media_type.starts_with("application/json"));
    if !says_json && body.first() != Some(&b'{') {
        return Ok(Request { photo: body, top_k: DEFAULT_TOP_K });
    }
    let body: Body<'_> = serde_json::from_slice(&body).map_err(Refusal::Json)?;
    let parameters = body.parameters.unwrap_or_default();
    let top_k = parameters.top_k.unwrap_or(DEFAULT_TOP_K);
    if top_k == 0 {
        return Err(Refusal::TopK);
    }
    match parameters.function_to_apply {
        Some(function) if function != "softmax" => Err(Refusal::Function(function)),
        _ => Ok(Request { photo: decoded_base64(&body.inputs).map_err(Refusal::Photo)?, top_k }),
    }
}

/// A name and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Label {
    label: String,
    score: f32,
}

/// The answer: the likeliest first. This form has no way to say "no landmark", so there is always one.
fn labels(prediction: &Prediction) -> Vec<Label> {
    let landmarks = prediction.landmarks.iter();
    landmarks
        .map(|landmark| Label { label: landmark.name.clone(), score: landmark.probability.value() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;

    #[test]
    fn a_body_that_is_not_json_is_the_photo() {
        for media_type in [None, Some("image/jpeg"), Some("application/octet-stream")] {
            let request = read(media_type, b"\xff\xd8\xff".to_vec()).unwrap();
            assert_eq!(request, Request { photo: b"\xff\xd8\xff".to_vec(), top_k: 5 }, "{media_type:?}");
        }
    }

    #[test]
    fn json_holds_the_photo_and_may_say_how_many_labels() {
        let text =
            br#"{"inputs": "/9j/", "parameters": {"top_k": 3, "function_to_apply": "softmax", "other": 1}}"#;
        for media_type in [None, Some("application/json"), Some("application/json; charset=utf-8")] {
            assert_eq!(
                read(media_type, text.to_vec()).unwrap(),
                Request { photo: b"\xff\xd8\xff".to_vec(), top_k: 3 }
            );
        }
        let bare = read(None, br#"{"inputs": "data:image/jpeg;base64,\/9j\/"}"#.to_vec()).unwrap();
        assert_eq!(bare, Request { photo: b"\xff\xd8\xff".to_vec(), top_k: 5 });
    }

    #[test]
    fn what_cannot_be_done_is_refused_in_words() {
        for (text, says) in [
            (r#"{"inputs": "%"}"#, "`inputs`: not base64"),
            (r#"{"inputs": "/9j/", "parameters": {"top_k": 0}}"#, "`top_k` must be at least 1"),
            (r#"{"inputs": "/9j/", "parameters": {"function_to_apply": "sigmoid"}}"#, "only \"softmax\""),
            (r#"{"input": "/9j/"}"#, "missing field `inputs`"),
            ("{", "send a photo, or {\"inputs\": \"<base64>\"}"),
        ] {
            let error = read(None, text.into()).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn labels_are_names_and_probabilities_also_where_there_is_no_landmark() {
        let expected = serde_json::json!([{"label": "Eiffel Tower", "score": 0.75}, {"label": "Our mill", "score": 0.25}]);
        for is_landmark in [true, false] {
            let answer = labels(&sample::prediction(is_landmark));
            assert_eq!(serde_json::to_value(answer).unwrap(), expected);
        }
    }
}
