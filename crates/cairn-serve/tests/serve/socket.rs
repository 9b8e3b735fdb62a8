//! Connections: kept, broken off, slow, too many, and at the end.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use cairn_serve::{Limits, ServeConfig};

use crate::support::*;

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn with_limits(change: impl FnOnce(&mut Limits)) -> ServeConfig {
    let mut config = config();
    change(&mut config.limits);
    config
}

/// What is left to read until the server closes; nothing after a reset.
fn rest(mut stream: std::net::TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    if let Err(error) = stream.read_to_end(&mut rest) {
        let waited = [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
        assert!(!waited, "the server does not close the connection");
    }
    rest
}

#[test]
fn a_connection_is_kept_for_the_next_request_even_after_an_error() {
    let server = Running::new(config());
    let mut stream = server.connect();
    let photo = raw_post("/v1/predict", &jpeg(200));
    assert_eq!(exchange(&mut stream, &photo).0, 200);
    assert_eq!(exchange(&mut stream, &raw_post("/v1/predict", b"no photo")).0, 415);
    assert_eq!(exchange(&mut stream, &raw_post("/nowhere", &[0; 100_000])).0, 404);
    assert_eq!(exchange(&mut stream, &photo).0, 200);
    assert_eq!(server.metric("cairn_connections"), 1.0);
    // Chunks, without a length.
    let body = jpeg(200);
    let mut chunked =
        b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(1000) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(exchange(&mut stream, &chunked).0, 200);
    drop(stream);
    server.wait_until_idle();
}

#[test]
fn a_client_that_leaves_at_any_step_leaves_nothing_behind() {
    let server = Running::new(with_limits(|limits| limits.upload_idle = Duration::from_secs(3600)));
    let whole = raw_post("/v1/predict", &jpeg(3000));
    let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let steps = [10, head, head + 1, head + 100_000, whole.len() - 1, whole.len()];
    // At once, whatever the server knows of them.
    for sent in steps {
        server.connect().write_all(&whole[..sent]).unwrap();
    }
    // And when the server has come as far as it can.
    for sent in steps {
        server.wait_until_idle();
        server.wait_for("cairn_connections", |open| open == 0.0);
        let requests = server.metric("cairn_request_photos_count");
        let mut stream = server.connect();
        stream.write_all(&whole[..sent]).unwrap();
        if sent < head {
            server.wait_for("cairn_connections", |open| open == 1.0);
        } else if sent < whole.len() {
            server.wait_for("cairn_in_flight_bytes", |taken| taken > 0.0);
        } else {
            server.wait_for("cairn_request_photos_count", |count| count > requests);
        }
    }
    server.wait_until_idle();
    server.wait_for("cairn_connections", |open| open == 0.0);
    assert_eq!(exchange(&mut server.connect(), &whole).0, 200);
}

#[test]
fn photos_of_clients_that_are_gone_are_given_up_while_they_wait() {
    // No worker, so that all photos wait.
    let server = Running::new(with_limits(|limits| limits.workers = 0));
    let photo = raw_post("/v1/predict", &jpeg(100));
    let streams: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&photo).unwrap();
            stream
        })
        .collect();
    server.wait_for("cairn_queue_photos", |found| found == 12.0);
    drop(streams);
    server.wait_for("cairn_photos_total{outcome=\"dropped\"}", |dropped| dropped == 12.0);
}

#[test]
fn rows_that_nobody_reads_keep_no_photo_waiting() {
    let server = Running::new(config());
    let photos: Vec<_> = (0..40).map(|_| ("a", jpeg(100))).collect();
    let body = form(&photos, &[]);
    let head = format!(
        "POST /v1/predict?k=32&explain=1 HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\nconnection: close\r\n\
         content-type: {FORM}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    // Megabytes of rows, which no socket holds.
    server.wait_for("cairn_request_photos_count", |requests| requests == 1.0);
    server.wait_until_idle();
    let mut lines = String::new();
    stream.read_to_string(&mut lines).unwrap();
    assert_eq!(lines.matches("\"index\":").count(), 40);
}

#[test]
fn headers_that_do_not_end_are_waited_for_no_longer_than_allowed() {
    let server = Running::new(with_limits(|limits| limits.header_timeout = Duration::from_millis(300)));
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    // A byte now and then does not help.
    let begun = Instant::now();
    while stream.write_all(b"x").is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the server does not close the connection");
        std::thread::sleep(Duration::from_millis(50));
    }
    let idle = server.connect();
    assert_eq!(rest(idle), b"", "a connection that says nothing is closed, too");
}

#[test]
fn a_body_that_pauses_too_long_or_comes_too_slowly_is_given_up() {
    let server = Running::new(with_limits(|limits| limits.upload_idle = Duration::from_millis(400)));
    let head = b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n0123456789";
    let mut paused = server.connect();
    let (status, _, body) = exchange(&mut paused, head);
    assert_eq!(status, 408, "{}", String::from_utf8_lossy(&body));
    assert!(String::from_utf8_lossy(&body).contains("--upload-idle"));
    // No pause is as long, but all of it is slower than the least rate.
    let mut slow = server.connect();
    slow.write_all(head).unwrap();
    let mut dripping = slow.try_clone().unwrap();
    std::thread::spawn(move || {
        while dripping.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(read_answer(&mut slow).0, 408);
    slow.shutdown(Shutdown::Both).unwrap();
    server.wait_until_idle();
}

#[test]
fn no_more_connections_are_open_than_allowed_and_the_next_one_waits() {
    let server = Running::new(with_limits(|limits| limits.connections = 2));
    let (mut first, mut second, mut third) = (server.connect(), server.connect(), server.connect());
    assert_eq!(exchange(&mut first, HEALTH).0, 200);
    assert_eq!(exchange(&mut second, HEALTH).0, 200);
    third.write_all(HEALTH).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(third.read(&mut [0]).is_err(), "no answer yet");
    drop(first);
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(read_answer(&mut third).0, 200);
}

#[test]
fn a_server_that_stops_answers_what_it_has_and_waits_for_no_idle_connection() {
    let mut server = Running::new(with_limits(|limits| {
        limits.header_timeout = Duration::from_secs(3600);
        limits.shutdown = PATIENCE;
    }));
    let mut idle = server.connect();
    assert_eq!(exchange(&mut idle, HEALTH).0, 200);
    let photo = raw_post("/v1/predict", &jpeg(4000));
    let mut busy = server.connect();
    busy.write_all(&photo).unwrap();
    server.wait_for("cairn_request_photos_count", |requests| requests == 1.0);
    assert_eq!(server.stop(), 0);
    assert_eq!(read_answer(&mut busy).0, 200);
    assert!(std::net::TcpStream::connect(server.address).is_err(), "no new connections");
    assert_eq!(rest(idle), b"");
}

#[test]
fn a_server_that_stops_waits_for_a_slow_upload_no_longer_than_allowed() {
    let mut server = Running::new(with_limits(|limits| {
        limits.shutdown = Duration::from_millis(300);
        limits.upload_idle = Duration::from_secs(3600);
    }));
    let mut slow = server.connect();
    slow.write_all(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n")
        .unwrap();
    server.wait_for("cairn_in_flight_bytes", |found| found > 0.0);
    assert_eq!(server.stop(), 1, "it would wait for an hour otherwise");
}
