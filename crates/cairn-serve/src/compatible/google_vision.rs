//! Landmark detection as Google's Cloud Vision speaks it over REST: `images:annotate`.
//!
//! Requests are read as protocol buffers allow JSON to be: keys in camelCase or as they are declared, enums as names or
//! numbers, unknown keys skipped.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::response::Response;
use cairn_model::{Landmark, Prediction};
use serde::{Deserialize, Serialize};

use super::{json_response, photo_size, whole_body};
use crate::admission::{BodyKind, SharedPermit};
use crate::error::{ApiError, ErrorType};
use crate::fetch::Fetched;
use crate::photos::{PhotoAnswer, PredictOptions};
use crate::routes::{Routes, seen};
use crate::state::AppState;
use crate::{SubmittedPhoto, decoded_base64};

/// Landmarks of a photo where the request does not say how many.
const DEFAULT_MAX_RESULTS: usize = 10;
/// Less likely landmarks are not sent, but for the first: Google's clients take each as seen in the photo.
const WORTH_SENDING: f32 = 0.1;

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
    let (body, memory) = whole_body(&state, request.into_body(), BodyKind::Json).await?;
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
    let seen = seen(&state, &photos);
    if let Some(most) = asked.iter().map(|(.., max_results)| *max_results).max() {
        let options = PredictOptions { landmarks: most, ..PredictOptions::default() };
        let predictions = state.predict(photos, &options).await?;
        if let Some(error) = predictions.error().filter(|error| error.status().is_server_error()) {
            return Err(error.clone());
        }
        for ((index, bytes, max_results), answer) in asked.into_iter().zip(predictions.photos) {
            responses[index] = answered(&answer, &bytes, max_results);
        }
    }
    let mut response = json_response(&BatchResponse { responses });
    response.extensions_mut().insert(seen);
    Ok(response)
}

fn answered(answer: &PhotoAnswer, photo: &[u8], max_results: usize) -> ImageResponse {
    match &answer.outcome {
        Ok(output) => ImageResponse::landmarks(&output.prediction, photo_size::upright(photo), max_results),
        Err(error) => ImageResponse::error(Status::of(error)),
    }
}

/// The body of a request.
#[derive(Debug, Deserialize)]
struct BatchRequest<'a> {
    /// A photo each.
    #[serde(borrow, default)]
    requests: Vec<ImageRequest<'a>>,
}

/// A photo, and what is asked of it.
#[derive(Debug, Deserialize)]
struct ImageRequest<'a> {
    #[serde(borrow, default)]
    image: Image<'a>,
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Debug, Default, Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    source: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
struct Source {
    #[serde(alias = "imageUri")]
    image_uri: Option<String>,
    #[serde(alias = "gcsImageUri")]
    gcs_image_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    #[serde(rename = "type", default)]
    kind: FeatureType,
    #[serde(alias = "maxResults", default)]
    max_results: Count,
}

/// What is to be found in a photo: its name or its number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FeatureType {
    Number(i64),
    Name(String),
}

impl Default for FeatureType {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl FeatureType {
    fn is_landmark_detection(&self) -> bool {
        match self {
            Self::Number(number) => *number == 2,
            Self::Name(name) => name == "LANDMARK_DETECTION",
        }
    }
}

/// How many results: a number, which JSON of protocol buffers may also write as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(i64),
    Text(String),
}

impl Default for Count {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Count {
    /// 0 is what a client sends that did not choose.
    fn value(&self) -> usize {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().unwrap_or(0),
        };
        usize::try_from(number).ok().filter(|&count| count > 0).unwrap_or(DEFAULT_MAX_RESULTS)
    }
}

/// Where a photo's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PhotoSource {
    /// In the request.
    Bytes(Vec<u8>),
    /// At this address.
    Url(String),
}

/// What is asked of one photo.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// The photo.
    photo: PhotoSource,
    /// At most so many landmarks come back.
    max_results: usize,
}

impl PhotoSource {
    /// The photo's bytes, and the memory that they are in: that of the request, or their own if they are fetched.
    async fn bytes(self, state: &AppState, memory: &SharedPermit) -> Result<Fetched, ApiError> {
        match self {
            Self::Bytes(bytes) => {
                state.check_photo(bytes.len() as u64)?;
                Ok(Fetched { bytes: bytes.into(), memory: memory.clone() })
            }
            Self::Url(url) => state.fetch(&url).await,
        }
    }
}

impl ImageRequest<'_> {
    /// What is asked, or the error that takes this photo's place in the answer.
    fn question(self) -> Result<Question, Status> {
        let mut wanted = self.features.iter().filter(|feature| feature.kind.is_landmark_detection());
        let Some(feature) = wanted.next() else {
            return Err(match self.features.as_slice() {
                [] => Status::invalid("Ask for a feature: LANDMARK_DETECTION."),
                _ => Status { code: 12, message: "Only LANDMARK_DETECTION is implemented.".to_owned() },
            });
        };
        let max_results = feature.max_results.value();
        let source = self.image.source.unwrap_or_default();
        let photo = match (self.image.content, source.image_uri.or(source.gcs_image_uri)) {
            // Google takes the content where both are there, too.
            (Some(content), _) if !content.is_empty() => decoded_base64(&content)
                .map(PhotoSource::Bytes)
                .map_err(|error| Status::invalid(&format!("image.content: {error}")))?,
            (_, Some(url)) => PhotoSource::Url(url),
            _ => return Err(Status::invalid("The image has neither content nor source.")),
        };
        Ok(Question { photo, max_results })
    }
}

/// What became of one photo: `google.rpc.Status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Status {
    /// A code of `google.rpc.Code`, not one of HTTP.
    code: u16,
    /// What is wrong.
    message: String,
}

impl Status {
    /// The request, or the photo in it, is not what it should be.
    fn invalid(message: &str) -> Self {
        Self { code: 3, message: message.to_owned() }
    }

    /// What is wrong with one photo.
    fn of(error: &ApiError) -> Self {
        let code = match error.error_type {
            ErrorType::Timeout => 4,
            ErrorType::Forbidden => 7,
            ErrorType::Internal => 13,
            _ => 3,
        };
        Self { code, message: error.message.clone() }
    }
}

/// The answer to a request.
#[derive(Debug, Serialize)]
struct BatchResponse {
    /// In the order of the requests.
    responses: Vec<ImageResponse>,
}

/// What there is to say of one photo: an empty object where it shows no landmark.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageResponse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    landmark_annotations: Vec<Annotation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Status>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    /// An opaque identifier: the item on Wikidata.
    #[serde(skip_serializing_if = "Option::is_none")]
    mid: Option<String>,
    locale: &'static str,
    description: String,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounding_poly: Option<BoundingPoly>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Debug, Clone, Serialize)]
struct BoundingPoly {
    vertices: [Vertex; 4],
}

#[derive(Debug, Clone, Serialize)]
struct Vertex {
    x: u32,
    y: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    lat_lng: LatLng,
}

#[derive(Debug, Serialize)]
struct LatLng {
    latitude: f64,
    longitude: f64,
}

impl ImageResponse {
    /// The landmarks of a photo of this width and height, upright, if they are known.
    fn landmarks(prediction: &Prediction, size: Option<[u32; 2]>, max_results: usize) -> Self {
        if prediction.is_landmark == Some(false) {
            return Self::default();
        }
        let worth_sending = |(rank, landmark): &(usize, &Landmark)| {
            *rank == 0 || landmark.probability.value() >= WORTH_SENDING
        };
        // What a landmark's outline would be is not known: the whole photo.
        let whole = size.map(|[width, height]| BoundingPoly {
            vertices: [(0, 0), (width, 0), (width, height), (0, height)].map(|(x, y)| Vertex { x, y }),
        });
        let landmarks = prediction.landmarks.iter().take(max_results).enumerate().filter(worth_sending);
        let annotations = landmarks.map(|(_, landmark)| Annotation::new(landmark, whole.clone()));
        Self { landmark_annotations: annotations.collect(), error: None }
    }

    /// An error in the place of a photo.
    fn error(status: Status) -> Self {
        Self { error: Some(status), ..Self::default() }
    }
}

impl Annotation {
    fn new(landmark: &Landmark, bounding_poly: Option<BoundingPoly>) -> Self {
        let place = landmark.place.as_ref();
        let location = |place: &cairn_places::Place| Location {
            lat_lng: LatLng { latitude: place.latitude.degrees(), longitude: place.longitude.degrees() },
        };
        Self {
            mid: place.and_then(|place| place.wikidata.as_ref()).map(ToString::to_string),
            locale: "en",
            description: landmark.name.clone(),
            score: landmark.probability.value(),
            bounding_poly,
            locations: place.map(location).into_iter().collect(),
        }
    }
}

/// An error of the whole request.
#[derive(Debug, Serialize)]
pub(super) struct ErrorResponse {
    error: ErrorDetails,
}

#[derive(Debug, Serialize)]
struct ErrorDetails {
    code: u16,
    message: String,
    status: &'static str,
}

impl ErrorResponse {
    /// The error of a request that ends with this status of HTTP.
    pub(super) fn new(code: u16, message: String) -> Self {
        Self { error: ErrorDetails { code, message, status: status_name(code) } }
    }
}

/// The name in `google.rpc.Code` that goes with a status of HTTP.
fn status_name(code: u16) -> &'static str {
    match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;
    use serde_json::{Value, json};

    fn question(request: Value) -> Result<Question, Status> {
        let text = json!({"requests": [request], "parent": "projects/x"}).to_string();
        let mut batch: BatchRequest<'_> = serde_json::from_str(&text).unwrap();
        batch.requests.remove(0).question()
    }

    #[test]
    fn a_feature_is_a_name_or_a_number_and_keys_are_written_either_way() {
        let asked =
            |max_results| Ok(Question { photo: PhotoSource::Bytes(b"\xff\xd8\xff".to_vec()), max_results });
        for (feature, max_results) in [
            (json!({"type": "LANDMARK_DETECTION", "maxResults": 3, "model": "builtin/stable"}), 3),
            (json!({"type": 2, "max_results": 3}), 3),
            (json!({"type": 2, "maxResults": "3"}), 3),
            (json!({"type": "LANDMARK_DETECTION"}), 10),
            (json!({"type": 2, "maxResults": 0}), 10),
        ] {
            let context = json!({"languageHints": ["en"]});
            let features = json!([{"type": "LABEL_DETECTION"}, feature]);
            let request =
                json!({"image": {"content": "/9j/"}, "features": features, "imageContext": context});
            assert_eq!(question(request), asked(max_results), "{features}");
        }
    }

    #[test]
    fn a_photo_may_be_named_by_its_address() {
        for source in
            [json!({"imageUri": "https://e.org/a.jpg"}), json!({"image_uri": "https://e.org/a.jpg"})]
        {
            let found = question(json!({"image": {"source": source}, "features": [{"type": 2}]})).unwrap();
            assert_eq!(found.photo, PhotoSource::Url("https://e.org/a.jpg".to_owned()));
        }
        let stored =
            question(json!({"image": {"source": {"gcsImageUri": "gs://b/a"}}, "features": [{"type": 2}]}));
        assert_eq!(stored.unwrap().photo, PhotoSource::Url("gs://b/a".to_owned()));
    }

    #[test]
    fn what_is_wrong_with_one_photo_is_an_error_in_its_place() {
        let photo = json!({"content": "/9j/"});
        for (request, code) in [
            (json!({"image": photo, "features": []}), 3),
            (json!({"image": photo}), 3),
            (json!({"image": photo, "features": [{"type": "FACE_DETECTION"}, {"type": 4}]}), 12),
            (json!({"image": {"content": "%"}, "features": [{"type": 2}]}), 3),
            (json!({"image": {}, "features": [{"type": 2}]}), 3),
            (json!({"features": [{"type": 2}]}), 3),
        ] {
            assert_eq!(question(request.clone()).unwrap_err().code, code, "{request}");
        }
    }

    #[test]
    fn an_answer_has_the_names_that_googles_has() {
        let answer = ImageResponse::landmarks(&sample::prediction(true), Some([1024, 768]), 10);
        let whole = json!({"vertices": [{"x": 0, "y": 0}, {"x": 1024, "y": 0}, {"x": 1024, "y": 768}, {"x": 0, "y": 768}]});
        let tower = json!({
            "mid": "Q243", "locale": "en", "description": "Eiffel Tower", "score": 0.75, "boundingPoly": whole,
            "locations": [{"latLng": {"latitude": 48.8584, "longitude": 2.2945}}],
        });
        let mill = json!({"locale": "en", "description": "Our mill", "score": 0.25, "boundingPoly": whole});
        assert_eq!(serde_json::to_value(&answer).unwrap(), json!({"landmarkAnnotations": [tower, mill]}));

        let first = ImageResponse::landmarks(&sample::prediction(true), Some([1024, 768]), 1);
        assert_eq!(serde_json::to_value(&first).unwrap(), json!({"landmarkAnnotations": [tower]}));
        let none = ImageResponse::landmarks(&sample::prediction(false), Some([1024, 768]), 10);
        assert_eq!(serde_json::to_value(&none).unwrap(), json!({}));
        let bad = ImageResponse::error(Status::invalid("Bad image data."));
        assert_eq!(
            serde_json::to_value(&bad).unwrap(),
            json!({"error": {"code": 3, "message": "Bad image data."}})
        );
    }

    #[test]
    fn unlikely_landmarks_are_left_out_but_for_the_first() {
        let mut prediction = sample::prediction(true);
        prediction.landmarks.reverse();
        let odds = cairn_model::Probability::softmax(&[0.0, -0.1, 3.0], 1.0);
        prediction.landmarks[0].probability = odds[0];
        prediction.landmarks[1].probability = odds[1];
        let answer = ImageResponse::landmarks(&prediction, None, 10);
        assert_eq!(answer.landmark_annotations.len(), 1);
        assert_eq!(answer.landmark_annotations[0].description, "Our mill");
    }

    #[test]
    fn an_error_of_the_whole_names_its_code() {
        let error = serde_json::to_value(ErrorResponse::new(429, "busy".to_owned())).unwrap();
        assert_eq!(error, json!({"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}}));
    }
}
