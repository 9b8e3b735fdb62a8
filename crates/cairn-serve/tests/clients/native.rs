//! What cairn's own interface says of a photo, to compare with; and plain requests.

use std::path::Path;

use serde_json::Value;

use crate::support::TestServer;

/// What a server answers: the status, and the JSON.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

/// Posts a body.
pub(crate) fn post(url: &str, media_type: &str, body: &[u8]) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(url).content_type(media_type).send(body).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"));
    Answer { status: response.status().as_u16(), json }
}

/// The row of a photo: its landmarks, the likeliest first, and whether it shows one.
pub(crate) fn row(server: &TestServer, photo: &Path, landmarks: usize) -> Value {
    let bytes = std::fs::read(photo).unwrap();
    let answer = post(&server.url(&format!("/v1/predict?k={landmarks}")), "application/octet-stream", &bytes);
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["predictions"][0].clone()
}

/// A class's probability in a row.
pub(crate) fn probabilities(row: &Value) -> Vec<(String, f64)> {
    let landmarks = row["landmarks"].as_array().unwrap().iter();
    landmarks
        .map(|landmark| {
            (landmark["name"].as_str().unwrap().to_owned(), landmark["probability"].as_f64().unwrap())
        })
        .collect()
}

/// Whether two lists name the same with probabilities that differ by the last bits at most.
pub(crate) fn assert_same(found: &[(String, f64)], expected: &[(String, f64)]) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for ((name, score), (expected_name, expected_score)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!((score - expected_score).abs() < 1e-5, "{name}: {score}, expected {expected_score}");
    }
}
