//! Connections: kept, broken off, slow, too many, and at the end.

use std::io::{Read, Write};
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
    let _ = stream.read_to_end(&mut rest);
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
    let server = Running::new(with_limits(|limits| limits.upload_idle = Duration::from_secs(30)));
    let whole = raw_post("/v1/predict", &jpeg(3000));
    let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    for round in 0..3 {
        for sent in [10, head, head + 1, head + 100_000, whole.len() - 1, whole.len()] {
            let mut stream = server.connect();
            stream.write_all(&whole[..sent]).unwrap();
            // In some rounds the server is in the middle of the answer.
            std::thread::sleep(Duration::from_millis(round * 15));
            drop(stream);
        }
    }
    server.wait_until_idle();
    server.wait_for("cairn_connections", |open| open == 0.0);
    assert_eq!(exchange(&mut server.connect(), &whole).0, 200);
}

#[test]
fn photos_of_clients_that_are_gone_are_not_looked_at() {
    let server = Running::new(with_limits(|limits| {
        limits.workers = 1;
        limits.max_memory = 256 << 20;
    }));
    let photo = raw_post("/v1/predict", &jpeg(3000));
    let streams: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&photo).unwrap();
            stream
        })
        .collect();
    server.wait_for("cairn_queue_photos", |found| found >= 8.0);
    drop(streams);
    server.wait_until_idle();
    let dropped = server.metric("cairn_photos_total{outcome=\"dropped\"}");
    let looked_at = server.metric("cairn_inference_duration_seconds_count");
    assert!(dropped >= 4.0, "{dropped} dropped");
    assert!(looked_at <= 8.0, "{looked_at} looked at");
}

#[test]
fn headers_that_do_not_end_are_waited_for_no_longer_than_allowed() {
    let server = Running::new(with_limits(|limits| limits.header_timeout = Duration::from_millis(300)));
    let begun = Instant::now();
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    // A byte now and then does not help.
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        if stream.write_all(b"x").is_err() {
            break;
        }
    }
    rest(stream);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let idle = server.connect();
    rest(idle);
    assert!(begun.elapsed() < Duration::from_secs(20), "a connection that says nothing is closed, too");
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
    let mut server = Running::new(config());
    let mut idle = server.connect();
    assert_eq!(exchange(&mut idle, HEALTH).0, 200);
    let photo = raw_post("/v1/predict", &jpeg(4000));
    let mut busy = server.connect();
    busy.write_all(&photo).unwrap();
    server.wait_for("cairn_queue_photos", |found| found >= 1.0);
    let begun = Instant::now();
    assert_eq!(server.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(read_answer(&mut busy).0, 200);
    assert!(std::net::TcpStream::connect(server.address).is_err(), "no new connections");
    assert_eq!(rest(idle), b"");
}

#[test]
fn a_server_that_stops_waits_for_a_slow_upload_no_longer_than_allowed() {
    let mut server = Running::new(with_limits(|limits| limits.shutdown = Duration::from_millis(300)));
    let mut slow = server.connect();
    slow.write_all(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n")
        .unwrap();
    server.wait_for("cairn_in_flight_bytes", |found| found > 0.0);
    let begun = Instant::now();
    assert_eq!(server.stop(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}
