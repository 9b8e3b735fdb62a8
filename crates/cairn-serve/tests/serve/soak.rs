//! Many requests, and many clients; `CAIRN_SOAK` says how many requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cairn_model::TestViews;
use cairn_serve::{ServeConfig, Silent, start};

use crate::support::*;

/// Requests before memory is looked at for the first time, in per cent.
const WARM_UP: usize = 10;
/// Growth of resident memory that is allowed, in bytes.
const MOST_GROWTH: f64 = 32.0 * MEBIBYTE;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// Clients at once.
const CLIENTS: usize = 1000;

const SKIPPED: &str = "skipped: CAIRN_SOAK=20000 says how many requests are sent";

fn requests() -> Option<usize> {
    std::env::var("CAIRN_SOAK").ok()?.parse().ok()
}

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    let Some(requests) = requests() else {
        println!("{SKIPPED}");
        return;
    };
    let server = Running::new(config());
    let kinds: Vec<Vec<u8>> = vec![
        raw_post("/v1/predict", &jpeg(300)),
        raw_post("/v1/predict", &jpeg(1000)),
        raw_post("/v1/predict", b"no photo"),
        raw_post("/nowhere", &[0; 5000]),
        raw_post("/v1/embed", &jpeg(300)),
    ];
    let run = |requests: usize| {
        std::thread::scope(|scope| {
            for client in 0..8 {
                let (kinds, server) = (&kinds, &server);
                scope.spawn(move || {
                    let mut stream = server.connect();
                    for request in 0..requests / 8 {
                        let (status, ..) = exchange(&mut stream, &kinds[(client + request) % kinds.len()]);
                        assert!([200, 404, 415].contains(&status), "{status}");
                    }
                });
            }
        });
    };
    run(requests * WARM_UP / 100);
    let before = server.metric("process_resident_memory_bytes");
    run(requests);
    let after = server.metric("process_resident_memory_bytes");
    println!("{requests} requests: {:.1} MiB, then {:.1} MiB", before / MEBIBYTE, after / MEBIBYTE);
    assert!(after - before < MOST_GROWTH, "{before} bytes, then {after}");
}

#[test]
fn a_thousand_clients_are_answered_or_told_to_come_again() {
    let Some(requests) = requests() else {
        println!("{SKIPPED}");
        return;
    };
    let config = ServeConfig { address: ([127, 0, 0, 1], 0).into(), ..ServeConfig::default() };
    let source = FileSource { path: shipped(), views: TestViews::SixCrop };
    let server = Running::with_state(start(config, &source, Arc::new(Silent)).unwrap());
    let request = raw_post("/v1/predict", &jpeg(256));
    let asked = AtomicUsize::new(0);
    let memory = || server.metric("process_resident_memory_bytes") / MEBIBYTE;
    let before = memory();
    let (statuses, most) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut stream, mut statuses) = (server.connect(), Vec::new());
                    while asked.fetch_add(1, Ordering::Relaxed) < requests {
                        let (status, head, _) = exchange(&mut stream, &request);
                        statuses.push(status);
                        assert_eq!(status == 429, head.contains("\r\nretry-after: "), "{head}");
                        if status == 429 {
                            // Much sooner than it is told to come again.
                            std::thread::sleep(Duration::from_millis(50));
                        }
                    }
                    statuses
                })
            })
            .collect();
        let mut most = before;
        while !clients.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            most = memory().max(most);
            std::thread::sleep(Duration::from_millis(200));
        }
        let statuses: Vec<u16> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (statuses, most)
    });
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_insert(0) += 1;
    }
    println!(
        "{CLIENTS} clients: {counts:?}; memory {before:.1} MiB, at most {most:.1}, then {:.1}",
        memory()
    );
    assert!(counts.keys().all(|status| [200, 429].contains(status)), "{counts:?}");
}
