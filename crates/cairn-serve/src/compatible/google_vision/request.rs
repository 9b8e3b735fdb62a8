//! What is asked. It is read as protocol buffers allow JSON to be: keys in camelCase or as they are declared, enums as names
//! or numbers, unknown keys skipped.

use std::borrow::Cow;

use serde::Deserialize;

use super::response::Status;
use crate::admission::SharedPermit;
use crate::error::ApiError;
use crate::fetch::Fetched;
use crate::state::AppState;
use crate::submission::decoded_base64;

/// Landmarks of a photo where the request does not say how many.
const DEFAULT_MAX_RESULTS: usize = 10;

/// The body of a request.
#[derive(Debug, Deserialize)]
pub(super) struct BatchRequest<'a> {
    /// A photo each.
    #[serde(borrow, default)]
    pub(super) requests: Vec<ImageRequest<'a>>,
}

/// A photo, and what is asked of it.
#[derive(Debug, Deserialize)]
pub(super) struct ImageRequest<'a> {
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
pub(super) enum PhotoSource {
    /// In the request.
    Bytes(Vec<u8>),
    /// At this address.
    Url(String),
}

/// What is asked of one photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// The photo.
    pub(super) photo: PhotoSource,
    /// At most so many landmarks come back.
    pub(super) max_results: usize,
}

impl PhotoSource {
    /// The photo's bytes, and the memory that they are in: that of the request, or their own if they are fetched.
    pub(super) async fn bytes(self, state: &AppState, memory: &SharedPermit) -> Result<Fetched, ApiError> {
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
    pub(super) fn question(self) -> Result<Question, Status> {
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

#[cfg(test)]
mod tests {
    use super::*;
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
}
