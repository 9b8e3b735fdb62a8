//! Requests that are damaged at random: none of them is answered with 500, or not at all.

use std::io::{Read, Write};
use std::net::Shutdown;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cairn_mutate::Mutator;
use cairn_serve::{AppState, Limits, ServeConfig};
use serde_json::json;

use crate::support::*;

/// Requests where nothing is said; `CAIRN_CASES` shows as many times more.
const CASES: usize = 600;
const ON_SOCKET: usize = 150;

fn cases(usual: usize) -> usize {
    let times = std::env::var("CAIRN_CASES").ok().and_then(|times| times.parse::<usize>().ok());
    usual * times.unwrap_or(1)
}

fn small() -> ServeConfig {
    let limits = Limits { max_photo: 200_000, max_request: 1 << 20, max_memory: 8 << 20, ..config().limits };
    ServeConfig { limits, ..config() }
}

/// Bodies that are whole, with their types.
fn bodies() -> Vec<(&'static str, Bytes)> {
    let photo = jpeg(40);
    let json = json!({"photos": [
        {"name": "a", "data": STANDARD.encode(&photo)},
        {"name": "b", "data": format!("data:image/jpeg;base64,{}", STANDARD.encode(&photo))},
        {"url": "http://localhost/a.jpg"},
    ]});
    vec![
        ("image/jpeg", photo.clone()),
        (FORM, form(&[("a.jpg", photo.clone()), ("b.jpg", photo)], &[("none", "1")]).into()),
        ("application/json", json.to_string().into()),
    ]
}

const PATHS: [&str; 8] = [
    "/v1/predict",
    "/v1/predict?k=2&explain=1",
    "/v1/predict?threshold=0.5&name=x",
    "/v1/explain",
    "/v1/explain?class=Petra",
    "/v1/embed",
    "/v1/similar",
    "/v1/feedback?none=1",
];
const ACCEPT: [&str; 6] =
    ["*/*", "application/x-ndjson", "text/csv", "application/geo+json", "image/png", ";q=,,text/*;q=9"];

/// A request with its body, and now and then its path, its type or what it accepts, damaged.
fn damaged(damage: &mut Mutator) -> Request<Body> {
    let bodies = bodies();
    let (content_type, body) = bodies[damage.below(bodies.len())].clone();
    let mut path = PATHS[damage.below(PATHS.len())].to_owned();
    if damage.below(8) == 0 {
        path = String::from_utf8_lossy(&damage.damaged(path.as_bytes())).into_owned();
    }
    let mut content_type = content_type.as_bytes().to_vec();
    if damage.below(6) == 0 {
        content_type = damage.damaged(&content_type);
    }
    let body = if damage.below(10) == 0 { body.to_vec() } else { damage.damaged(&body) };
    let request = Request::post(path)
        .header("content-type", content_type)
        .header("accept", ACCEPT[damage.below(ACCEPT.len())])
        .body(Body::from(body));
    // What is no request at all is the socket's matter.
    request.unwrap_or_else(|_| get("/v1/model"))
}

async fn answer(state: &AppState, request: Request<Body>, case: usize) -> StatusCode {
    let shown = format!("{} {:?}", request.uri(), request.headers());
    let response = tokio::time::timeout(PATIENCE, ask(state, request)).await;
    let response = response.unwrap_or_else(|_| panic!("case {case} is not answered: {shown}"));
    let status = response.status();
    let body = bytes_of(response).await;
    let faults = status.is_server_error();
    assert!(!faults, "case {case} is answered with {status}: {shown}: {}", String::from_utf8_lossy(&body));
    if !status.is_success() {
        let error: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(error["error_type"].is_string(), "case {case}: {error}");
    }
    status
}

#[tokio::test]
async fn a_damaged_request_is_answered_with_what_is_wrong_and_never_with_a_fault_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(ServeConfig {
        feedback: Some(folder.path().to_owned()),
        max_feedback: 1 << 20,
        allow_urls: vec!["localhost".to_owned()],
        ..small()
    });
    let mut damage = Mutator::new(5);
    let (mut good, mut refused) = (0, 0);
    for case in 0..cases(CASES) {
        let status = answer(&state, damaged(&mut damage), case).await;
        if status.is_success() { good += 1 } else { refused += 1 }
    }
    assert!(good > 20 && refused > 100, "{good} taken, {refused} refused");
    assert_eq!(metric(&state, "cairn_in_flight_bytes").await, 0.0);
    assert_eq!(metric(&state, "cairn_queue_photos").await, 0.0);
}

#[test]
fn damaged_bytes_on_the_socket_are_answered_or_the_connection_is_closed() {
    let server = Running::new(small());
    let mut damage = Mutator::new(6);
    let mut answered = 0;
    for case in 0..cases(ON_SOCKET) {
        let bodies = bodies();
        let (content_type, body) = &bodies[damage.below(bodies.len())];
        let head = format!(
            "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut request = damage.damaged(head.as_bytes());
        request.extend_from_slice(body);
        let mut stream = server.connect();
        // It may be closed before all is sent.
        let _ = stream.write_all(&request).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
        assert!(!line.starts_with("HTTP/1.1 5"), "case {case}: {line}");
        answered += usize::from(line.starts_with("HTTP/1.1 "));
    }
    assert!(answered > cases(ON_SOCKET) / 4, "{answered} answered");
    server.wait_until_idle();
    assert_eq!(exchange(&mut server.connect(), &raw_post("/v1/predict", &jpeg(50))).0, 200);
}
