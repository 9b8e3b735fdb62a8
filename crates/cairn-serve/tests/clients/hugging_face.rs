//! `huggingface_hub`'s `InferenceClient.image_classification`.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use cairn_reference::Python;
use cairn_serve::{Key, Limits, ServeConfig};
use serde_json::Value;

use crate::native::{assert_same, post, probabilities, row};
use crate::support::{Photos, Shipped, TestServer};

fn client() -> Option<Python> {
    cairn_reference::python_with(&["huggingface_hub"])
}

fn ask(python: &Python, server: &TestServer, photo: &Path, key: &str, labels: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/hugging_face.py");
    // The client takes the address as it is, without the slash at its end.
    let url = server.url("/");
    let arguments = [OsStr::new(url.trim_end_matches('/')), photo.as_os_str(), key.as_ref(), labels.as_ref()];
    serde_json::from_str(&python.run(&script, &arguments)).unwrap()
}

fn labels(answer: &Value) -> Vec<(String, f64)> {
    let labels = answer["labels"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    labels.map(|label| (label[0].as_str().unwrap().to_owned(), label[1].as_f64().unwrap())).collect()
}

#[test]
fn the_client_gets_the_names_and_probabilities_of_predict_five_or_as_many_as_it_asks_for() {
    let Some(python) = client() else { return };
    let server = TestServer::start(ServeConfig::default(), Shipped::AS_IT_IS);
    let photos = Photos::draw();
    let photo = photos.path("castle.png");
    assert_same(&labels(&ask(&python, &server, &photo, "", "")), &probabilities(&row(&server, &photo, 5)));
    assert_same(&labels(&ask(&python, &server, &photo, "", "2")), &probabilities(&row(&server, &photo, 2)));
}

#[test]
fn the_client_is_told_of_a_bad_photo_and_of_a_missing_key() {
    let Some(python) = client() else { return };
    let keys = vec![Key::new("secret")];
    let server = TestServer::start(ServeConfig { keys, ..ServeConfig::default() }, Shipped::AS_IT_IS);
    let photos = Photos::draw();
    let bad = ask(&python, &server, &photos.path("broken.jpg"), "secret", "");
    assert!(matches!(bad["status"].as_u64(), Some(415 | 422)), "{bad}");
    assert!(!bad["error"]["error"].as_str().unwrap().is_empty(), "{bad}");
    let photo = photos.path("castle.png");
    assert_eq!(labels(&ask(&python, &server, &photo, "secret", "3")).len(), 3);
    for key in ["", "wrong"] {
        let refused = ask(&python, &server, &photo, key, "");
        assert_eq!(refused["status"], 401, "{refused}");
        assert_eq!(refused["error"]["error_type"], "unauthorised", "{refused}");
    }
}

#[test]
fn the_client_is_told_of_an_overload_and_when_to_try_again() {
    let Some(python) = client() else { return };
    let photos = Photos::draw();
    let photo = photos.path("castle.png");
    let size = std::fs::metadata(&photo).unwrap().len();
    // As much memory as one request may take. Half of a request takes it, and waits for its other half.
    let max_request = 4 * size;
    let upload_idle = Duration::from_secs(3600);
    let limits =
        Limits { max_request, max_memory: max_request * 7 / 4 + 8, upload_idle, ..Limits::default() };
    let server = TestServer::start(ServeConfig { limits, ..ServeConfig::default() }, Shipped::AS_IT_IS);
    let held = hold(&server, max_request);
    let refused = ask(&python, &server, &photo, "", "");
    assert_eq!(refused["status"], 429, "{refused}");
    assert_eq!(refused["error"]["error_type"], "overloaded", "{refused}");
    assert!(refused["retry"].as_str().unwrap().parse::<u32>().unwrap() >= 1, "{refused}");
    drop(held);
}

/// A request whose body does not come.
fn hold(server: &TestServer, length: u64) -> std::net::TcpStream {
    use std::io::Write;
    let url = server.url("/");
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    server.wait_for("cairn_in_flight_bytes", |taken| taken > 0.0);
    stream
}

#[test]
fn other_ways_to_ask_lead_to_the_same_or_to_a_reason() {
    let server = TestServer::start(ServeConfig::default(), Shipped::AS_IT_IS);
    let photos = Photos::draw();
    let bytes = std::fs::read(photos.path("castle.png")).unwrap();
    let first = post(&server.url("/"), "image/png", &bytes);
    assert_eq!((first.status, first.json.as_array().unwrap().len()), (200, 5), "{}", first.json);
    for path in ["/invocations", "/predict/hf"] {
        assert_eq!(post(&server.url(path), "application/x-image", &bytes).json, first.json, "{path}");
    }
    let sigmoid = br#"{"inputs": "AAAA", "parameters": {"function_to_apply": "sigmoid"}}"#;
    let refused = post(&server.url("/"), "application/json", sigmoid);
    assert_eq!(
        (refused.status, &refused.json["error_type"]),
        (400, &"validation".into()),
        "{}",
        refused.json
    );
}
