//! More than there is room for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use cairn_serve::{Limits, ServeConfig};

use crate::support::*;

/// A server whose memory another client holds.
fn without_memory() -> (Running, TcpStream) {
    // The other client pauses for as long as it likes.
    let upload_idle = Duration::from_secs(3600);
    let limits = Limits { max_request: 8 << 20, max_memory: 14 << 20, upload_idle, ..config().limits };
    let server = Running::new(ServeConfig { limits, ..config() });
    let mut holder = server.connect();
    // The other 7 MiB are not enough for 8.
    let head = format!("POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 7 << 20);
    holder.write_all(head.as_bytes()).unwrap();
    server.wait_for("cairn_in_flight_bytes", |found| found > 0.0);
    (server, holder)
}

#[test]
fn a_client_that_sends_all_before_it_reads_sees_the_429_and_not_a_reset() {
    let (server, _holder) = without_memory();
    let body = vec![0; (8 << 20) - 1000];
    for _ in 0..5 {
        let mut stream = server.connect();
        let (status, head, body) = exchange(&mut stream, &raw_post("/v1/predict", &body));
        assert_eq!(status, 429, "{}", String::from_utf8_lossy(&body));
        assert!(head.contains("retry-after: 1"), "{head}");
        assert!(String::from_utf8_lossy(&body).contains("--max-memory"));
        assert_eq!(
            exchange(&mut stream, &raw_post("/v1/predict", &jpeg(100))).0,
            200,
            "the connection is good"
        );
    }
    assert!(server.metric("cairn_rejected_total{reason=\"overloaded\"}") >= 5.0);
}

#[test]
fn a_413_reaches_the_client_whose_body_was_never_wanted() {
    let server = Running::new(config());
    let body = vec![0; 12 << 20];
    let (status, _, answer) = exchange(&mut server.connect(), &raw_post("/v1/predict", &body));
    assert_eq!(status, 413, "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_client_that_asks_before_it_sends_is_answered_without_sending() {
    let (server, _holder) = without_memory();
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        (8 << 20) - 1000
    );
    assert_eq!(exchange(&mut stream, head.as_bytes()).0, 429);
    let photo = jpeg(100);
    let head = format!(
        "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        photo.len()
    );
    let mut stream = server.connect();
    assert_eq!(exchange(&mut stream, head.as_bytes()).0, 100);
    assert_eq!(exchange(&mut stream, &photo).0, 200);
}

#[test]
fn all_photos_of_a_request_have_a_place_or_none() {
    // No worker, so that all photos wait.
    let limits = Limits { queue: 8, max_photos: 8, workers: 0, ..config().limits };
    let server = Running::new(ServeConfig { limits, ..config() });
    let photos: Vec<_> = (0..6).map(|_| ("a", jpeg(50))).collect();
    let body = form(&photos, &[]);
    let mut list = format!(
        "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    list.extend(&body);
    let mut first = server.connect();
    first.write_all(&list).unwrap();
    server.wait_for("cairn_queue_photos", |found| found == 6.0);
    let (status, _, answer) = exchange(&mut server.connect(), &list);
    assert_eq!(status, 429, "{}", String::from_utf8_lossy(&answer));
    assert!(String::from_utf8_lossy(&answer).contains("--queue"));
    let mut one = server.connect();
    one.write_all(&raw_post("/v1/predict", &jpeg(50))).unwrap();
    server.wait_for("cairn_queue_photos", |found| found == 7.0);
}

#[test]
fn many_clients_at_once_are_answered_or_told_to_come_again_and_nothing_else() {
    let clients = 200;
    let limits = Limits { queue: 20, max_photos: 20, ..config().limits };
    let server = Running::new(ServeConfig { limits, ..config() });
    let request = raw_post("/v1/predict", &jpeg(300));
    let (sender, statuses) = channel();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            let (sender, request, server) = (sender.clone(), &request, &server);
            scope.spawn(move || {
                let mut stream = server.connect();
                for _ in 0..3 {
                    sender.send(exchange(&mut stream, request).0).unwrap();
                }
            });
        }
    });
    drop(sender);
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_insert(0) += 1;
    }
    assert!(counts.keys().all(|status| [200, 429].contains(status)), "{counts:?}");
    assert_eq!(counts.values().sum::<i32>(), clients * 3);
    assert!(counts[&200] >= 20, "{counts:?}");
    server.wait_until_idle();
}

#[test]
fn a_pipelined_request_is_answered_in_its_turn() {
    let server = Running::new(config());
    let mut stream = server.connect();
    let mut both = raw_post("/v1/predict", b"no photo");
    both.extend(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(exchange(&mut stream, &both).0, 415);
    assert_eq!(read_answer(&mut stream).0, 200);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed as it was asked to be");
}
