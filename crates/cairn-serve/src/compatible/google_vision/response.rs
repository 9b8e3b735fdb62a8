//! What is answered.

use cairn_model::{Landmark, Prediction};
use serde::Serialize;

use crate::error::{ApiError, ErrorType};

/// Less likely landmarks are not sent, but for the first: Google's clients take each as seen in the photo.
const WORTH_SENDING: f32 = 0.1;

/// What became of one photo: `google.rpc.Status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Status {
    /// A code of `google.rpc.Code`, not one of HTTP.
    pub(super) code: u16,
    /// What is wrong.
    pub(super) message: String,
}

impl Status {
    /// The request, or the photo in it, is not what it should be.
    pub(super) fn invalid(message: &str) -> Self {
        Self { code: 3, message: message.to_owned() }
    }

    /// What is wrong with one photo.
    pub(super) fn of(error: &ApiError) -> Self {
        let code = match error.error_type {
            ErrorType::Timeout => 4,
            ErrorType::Forbidden => 7,
            ErrorType::Overloaded => 8,
            ErrorType::Internal => 13,
            _ => 3,
        };
        Self { code, message: error.message.clone() }
    }
}

/// The answer to a request.
#[derive(Debug, Serialize)]
pub(super) struct BatchResponse {
    /// In the order of the requests.
    pub(super) responses: Vec<ImageResponse>,
}

/// What there is to say of one photo: an empty object where it shows no landmark.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageResponse {
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
    pub(super) fn landmarks(prediction: &Prediction, size: Option<[u32; 2]>, max_results: usize) -> Self {
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
    pub(super) fn error(status: Status) -> Self {
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
pub(in crate::compatible) struct ErrorResponse {
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
    pub(in crate::compatible) fn new(code: u16, message: String) -> Self {
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
    use serde_json::json;

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
