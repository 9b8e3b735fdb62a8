//! Memory over many requests; `CAIRN_SOAK` says over how many.

use crate::support::*;

/// Requests before memory is looked at for the first time, in per cent.
const WARM_UP: usize = 10;
/// Growth of resident memory that is allowed, in bytes.
const MOST_GROWTH: f64 = 32.0 * 1024.0 * 1024.0;

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_number_of_requests() {
    let Some(requests) = std::env::var("CAIRN_SOAK").ok().and_then(|count| count.parse::<usize>().ok())
    else {
        println!("skipped: CAIRN_SOAK=20000 says over how many requests memory is watched");
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
    println!("{requests} requests: {:.1} MiB, then {:.1} MiB", before / 1048576.0, after / 1048576.0);
    assert!(after - before < MOST_GROWTH, "{before} bytes, then {after}");
}
