//! Labels and captions as PhotoPrism asks a vision service for them.

use std::borrow::Cow;

use axum::extract::{self, State};
use axum::response::{IntoResponse, Response};
use cairn_model::{Landmark, ModelOutput, Prediction};
use serde::{Deserialize, Serialize};

use crate::admission::BodyKind;
use crate::error::ApiError;
use crate::fetch::Fetched;
use crate::json_answer::{json, json_response};
use crate::photos::{PredictOptions, SubmittedPhoto};
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;
use crate::submission::decoded_base64;

/// The paths of the services that PhotoPrism knows; its sources and its guide differ on the second.
pub(super) const PATHS: [&str; 3] =
    ["/api/v1/vision/labels", "/api/v1/vision/labels/{model}/{version}", "/api/v1/vision/caption"];

pub(super) fn routes() -> Routes {
    let [labels, labels_of_version, caption] = PATHS;
    Routes::new()
        .post(labels, async |state, request| answer(state, request, Task::Labels).await)
        .post(labels_of_version, async |state, request| answer(state, request, Task::Labels).await)
        .post(caption, async |state, request| answer(state, request, Task::Caption).await)
}

async fn answer(
    State(state): State<AppState>,
    http: extract::Request,
    task: Task,
) -> Result<Response, ApiError> {
    let (body, memory) = state.whole_body(http.into_body(), BodyKind::Json).await?;
    let request: Request<'_> = serde_json::from_slice(&body)
        .map_err(|error| ApiError::validation(format!("not a request to a vision service: {error}")))?;
    let prediction = async {
        let views = request.views().map_err(|refusal| ApiError::validation(refusal.to_string()))?;
        let views: Vec<Fetched> = match views {
            Views::Url(url) => vec![state.fetch(&url).await?],
            Views::Bytes(views) => {
                state.check_count(views.len())?;
                let in_memory = |view: Vec<u8>| {
                    state.check_photo(view.len() as u64)?;
                    Ok(Fetched { bytes: view.into(), memory: memory.clone() })
                };
                views.into_iter().map(in_memory).collect::<Result<_, ApiError>>()?
            }
        };
        let submitted: Vec<SubmittedPhoto> = (1..)
            .zip(views)
            .map(|(number, view): (usize, Fetched)| SubmittedPhoto {
                name: format!("image {number}"),
                bytes: Ok(view.bytes),
                memory: Some(view.memory),
            })
            .collect();
        let seen = PhotosSeen::of(&state, &submitted);
        let predictions = state.predict(submitted, &PredictOptions::default()).await?;
        let outputs = predictions.photos.into_iter().map(|photo| Ok(photo.outcome?.output));
        let outputs = outputs.collect::<Result<Vec<ModelOutput>, ApiError>>()?;
        // `views` are one at least.
        let mean = ModelOutput::mean(&outputs).ok_or_else(|| ApiError::internal("no view was looked at"))?;
        Ok((predictions.served.model.prediction(&mean, 1), seen))
    };
    Ok(match prediction.await {
        Ok((prediction, seen)) => {
            let resolution = state.served().model.info().preprocess.input_width();
            let mut response = json_response(&Answer::new(&request, task, &prediction, resolution))?;
            response.extensions_mut().insert(seen);
            response
        }
        Err(error) => with_id(&request.id, error),
    })
}

/// An error that names its request.
fn with_id(id: &str, error: ApiError) -> Response {
    let body = ErrorResponse { id, code: error.status().as_u16(), error: error.message.clone() };
    let json = json(&body);
    let mut response = error.into_response();
    if let Ok(json) = json {
        *response.body_mut() = json.into();
        response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    }
    response
}

/// What is asked: views of one photo, or where it is. Other keys are skipped.
#[derive(Debug, Default, Deserialize)]
struct Request<'a> {
    /// Comes back in the answer.
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(borrow, default)]
    images: Vec<Cow<'a, str>>,
    #[serde(default)]
    url: Option<String>,
}

/// The photo that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Views {
    /// Its views, as files have them.
    Bytes(Vec<Vec<u8>>),
    /// At this address.
    Url(String),
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("image {0}: not a data URL with base64; set FileScheme: data")]
    Image(usize),
    #[error("neither `images` nor `url` is there")]
    Nothing,
}

impl Request<'_> {
    /// The photo that is asked about.
    fn views(&self) -> Result<Views, Refusal> {
        if let (true, Some(url)) = (self.images.is_empty(), self.url.as_ref().filter(|url| !url.is_empty())) {
            return Ok(Views::Url(url.clone()));
        }
        if self.images.is_empty() {
            return Err(Refusal::Nothing);
        }
        let views = (1..).zip(&self.images).map(|(number, image)| {
            let is_data_url = image.starts_with("data:");
            decoded_base64(image).ok().filter(|_| is_data_url).ok_or(Refusal::Image(number))
        });
        views.collect::<Result<_, _>>().map(Views::Bytes)
    }
}

/// Which of the two is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// What the photo shows, in labels.
    Labels,
    /// What the photo shows, in a sentence.
    Caption,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    id: String,
    code: u16,
    model: ModelName,
    result: Outcome,
}

#[derive(Debug, Serialize)]
struct ModelName {
    #[serde(rename = "type")]
    task: &'static str,
    name: String,
    version: String,
    resolution: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Labels(Vec<Label>),
    Caption(Caption),
}

#[derive(Debug, Serialize)]
struct Label {
    name: String,
    source: &'static str,
    priority: i32,
    confidence: f32,
    topicality: f32,
    categories: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Caption {
    text: String,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f32>,
}

/// Above PhotoPrism's own labels, which have 0 and less, and below those that people give.
const PRIORITY: i32 = 5;
/// PhotoPrism takes a confidence of 0 for 80 %.
const SMALLEST_CONFIDENCE: f32 = 1e-4;

impl Answer {
    /// The answer to a request, from a model whose network takes photos of `resolution` pixels a side.
    fn new(request: &Request<'_>, task: Task, prediction: &Prediction, resolution: u32) -> Self {
        let landmark = prediction.named();
        let (task, result) = match task {
            Task::Labels => ("labels", Outcome::Labels(landmark.map(Label::new).into_iter().collect())),
            Task::Caption => ("caption", Outcome::Caption(Caption::new(landmark))),
        };
        let named = |name: &Option<String>, otherwise: &str| {
            name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| otherwise.to_owned())
        };
        let model = ModelName {
            task,
            name: named(&request.model, "cairn"),
            version: named(&request.version, "latest"),
            resolution,
        };
        Self { id: request.id.clone(), code: 200, model, result }
    }
}

impl Label {
    fn new(landmark: &Landmark) -> Self {
        let confidence = landmark.probability.value().max(SMALLEST_CONFIDENCE);
        let place = landmark.place.as_ref();
        let place = place.map(|place| [&place.locality, &place.country].map(|name| name.to_lowercase()));
        let categories = ["landmark".to_owned()].into_iter().chain(place.into_iter().flatten()).collect();
        let name = landmark.name.clone();
        Self { name, source: "image", priority: PRIORITY, confidence, topicality: confidence, categories }
    }
}

impl Caption {
    /// An empty text where there is no landmark.
    fn new(landmark: Option<&Landmark>) -> Self {
        let text = landmark.map(|landmark| match &landmark.place {
            Some(place) => format!("{}, {}, {}", landmark.name, place.locality, place.country),
            None => landmark.name.clone(),
        });
        let confidence = landmark.map(|landmark| landmark.probability.value().max(SMALLEST_CONFIDENCE));
        Self { text: text.unwrap_or_default(), source: "image", confidence }
    }
}

/// An error.
#[derive(Debug, Serialize)]
pub(super) struct ErrorResponse<'a> {
    /// That of the request, where it could be read.
    pub(super) id: &'a str,
    /// The status of HTTP, too.
    pub(super) code: u16,
    /// What is wrong.
    pub(super) error: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;
    use serde_json::{Value, json};

    fn request(text: &str) -> Request<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn images_are_views_of_one_photo_and_unknown_keys_are_skipped() {
        let text = r#"{"id": "d2684be3", "model": "cairn", "version": "latest", "suffix": "", "stream": false, "schema":
            {"a": 1}, "options": {"seed": 3}, "think": "low", "images":
            ["data:image/jpeg;base64,\/9j\/", "data:image/jpeg;base64,AAAA"]}"#;
        let expected = Views::Bytes(vec![b"\xff\xd8\xff".to_vec(), vec![0; 3]]);
        assert_eq!(request(text).views().unwrap(), expected);
        let text = r#"{"url": "https://photos.example.org/a.jpg", "images": []}"#;
        assert_eq!(request(text).views().unwrap(), Views::Url("https://photos.example.org/a.jpg".to_owned()));
        let second = request(r#"{"images": ["data:;base64,AAAA", "a.jpg"]}"#).views().unwrap_err();
        assert!(second.to_string().starts_with("image 2: not a data URL"), "{second}");
        assert!(request("{}").views().is_err());
    }

    #[test]
    fn labels_carry_the_place_in_categories_and_no_landmark_is_an_empty_list() {
        let asked = request(r#"{"id": "a1", "model": "cairn", "version": ""}"#);
        let answer = |task, is_landmark| {
            serde_json::to_value(Answer::new(&asked, task, &sample::prediction(is_landmark), 192)).unwrap()
        };
        let labels = answer(Task::Labels, true);
        let label = json!({"name": "Eiffel Tower", "source": "image", "priority": 5, "confidence": 0.75,
            "topicality": 0.75, "categories": ["landmark", "paris", "france"]});
        let model = json!({"type": "labels", "name": "cairn", "version": "latest", "resolution": 192});
        let expected = json!({"id": "a1", "code": 200, "model": model, "result": {"labels": [label]}});
        assert_eq!(labels, expected);
        assert_eq!(answer(Task::Labels, false)["result"], json!({"labels": []}));
        let caption = json!({"text": "Eiffel Tower, Paris, France", "source": "image", "confidence": 0.75});
        assert_eq!(answer(Task::Caption, true)["result"], json!({"caption": caption}));
        let nothing = json!({"caption": {"text": "", "source": "image"}});
        assert_eq!(answer(Task::Caption, false)["result"], nothing);
    }

    #[test]
    fn an_error_names_the_request() {
        let error = ErrorResponse { id: "a1", code: 400, error: "Bad Request".to_owned() };
        let expected: Value = json!({"id": "a1", "code": 400, "error": "Bad Request"});
        assert_eq!(serde_json::to_value(error).unwrap(), expected);
    }
}
