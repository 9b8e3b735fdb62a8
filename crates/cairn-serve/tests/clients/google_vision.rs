//! `google-cloud-vision`'s `ImageAnnotatorClient` over REST.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_reference::Python;
use cairn_serve::{Key, ServeConfig};
use serde_json::{Value, json};

use crate::native::{assert_same, post, probabilities, row};
use crate::support::{Photos, Shipped, TestServer};

fn client() -> Option<Python> {
    cairn_reference::python_with(&["google.cloud.vision"])
}

fn ask(python: &Python, server: &TestServer, key: &str, photos: &[PathBuf]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/google_vision.py");
    let url = server.url("");
    let mut arguments = vec![OsStr::new(&url), OsStr::new(key)];
    arguments.extend(photos.iter().map(|photo| photo.as_os_str()));
    serde_json::from_str(&python.run(&script, &arguments)).unwrap()
}

fn scores(answer: &Value) -> Vec<(String, f64)> {
    let landmarks = answer["landmarks"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    landmarks
        .map(|landmark| (landmark["name"].as_str().unwrap().to_owned(), landmark["score"].as_f64().unwrap()))
        .collect()
}

#[test]
fn the_client_gets_landmarks_with_their_places() {
    let Some(python) = client() else { return };
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let photo = photos.path("castle.png");
    let answer = ask(&python, &server, "", std::slice::from_ref(&photo));
    let row = row(&server, &photo, 10);
    let mut expected = probabilities(&row);
    let likely = expected.iter().skip(1).take_while(|(_, probability)| *probability >= 0.1).count();
    expected.truncate(1 + likely);
    assert_same(&scores(&answer[0]), &expected);
    let (first, place) = (&answer[0]["landmarks"][0], &row["landmarks"][0]["place"]);
    assert_eq!(first["places"], json!([[place["latitude"], place["longitude"]]]));
    assert_eq!(first["mid"], place["wikidata"]);
    assert_eq!(first["corners"], json!([[0, 0], [240, 0], [240, 180], [0, 180]]));
}

#[test]
fn each_of_several_photos_has_its_answer_or_its_error_in_its_place() {
    let Some(python) = client() else { return };
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let sent = ["castle.png", "broken.jpg", "dome.png"].map(|name| photos.path(name));
    let answer = ask(&python, &server, "", &sent);
    assert_same(&scores(&answer[0]), &probabilities(&row(&server, &sent[0], 1)));
    assert_eq!(answer[1]["code"], 3, "{answer}");
    assert_same(&scores(&answer[2]), &probabilities(&row(&server, &sent[2], 1)));
    assert_eq!(answer[3]["code"], 12, "faces: {answer}");
    assert_eq!(answer[4]["code"], 7, "an address: {answer}");
}

#[test]
fn a_photo_without_a_landmark_has_an_empty_answer() {
    let Some(python) = client() else { return };
    let server = TestServer::start(ServeConfig::default(), Shipped::NO_LANDMARKS);
    let photos = Photos::draw();
    assert_eq!(ask(&python, &server, "", &[photos.path("castle.png")]), json!([{"landmarks": []}]));
}

#[test]
fn the_client_raises_its_own_errors() {
    let Some(python) = client() else { return };
    let keys = vec![Key::new("secret")];
    let server = TestServer::start(ServeConfig { keys, ..ServeConfig::default() }, Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let photo = [photos.path("castle.png")];
    for (key, word) in [("", "wants a key"), ("wrong", "does not know")] {
        let refused = ask(&python, &server, key, &photo);
        assert_eq!((&refused["status"], &refused["kind"]), (&json!(403), &json!("Forbidden")), "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
    }
    assert!(!scores(&ask(&python, &server, "secret", &photo)[0]).is_empty());
}

#[test]
fn requests_may_be_written_as_protocol_buffers_allow_and_project_paths_lead_to_the_same() {
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let content = STANDARD.encode(std::fs::read(photos.path("dome.png")).unwrap());
    let request =
        |feature: Value| json!({"requests": [{"image": {"content": content}, "features": [feature]}]});
    let named = request(json!({"type": "LANDMARK_DETECTION", "maxResults": 2}));
    let numbered = request(json!({"type": 2, "max_results": 2}));
    let mut answers = Vec::new();
    for (path, body) in [
        ("/v1/images:annotate?key=ignored", &named),
        ("/v1/images:annotate?$alt=json;enum-encoding=int", &numbered),
        ("/v1/projects/p/images:annotate", &named),
        ("/v1/projects/p/locations/eu/images:annotate", &numbered),
    ] {
        let answer = post(&server.url(path), "application/json", body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
        answers.push(answer.json);
    }
    assert!(
        answers[0]["responses"][0]["landmarkAnnotations"][0]["description"].is_string(),
        "{}",
        answers[0]
    );
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let malformed = post(&server.url("/v1/images:annotate"), "application/json", b"{\"requests\": 3}");
    assert_eq!(malformed.status, 400);
    assert_eq!(malformed.json["error"]["status"], "INVALID_ARGUMENT", "{}", malformed.json);
    let empty = post(&server.url("/v1/images:annotate"), "application/json", b"{}");
    assert_eq!((empty.status, empty.json), (200, json!({"responses": []})));
}
