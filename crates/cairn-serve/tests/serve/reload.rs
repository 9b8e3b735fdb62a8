//! Another model takes the place of the one that answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cairn_model::{Model, TestViews};
use cairn_serve::{ModelSource, ServeConfig, reload_on_change, start};
use serde_json::Value;

use crate::support::*;

/// Puts a file in the place of another, whole.
fn replace(path: &Path, content: &[u8]) {
    let aside = path.with_extension("aside");
    std::fs::write(&aside, content).unwrap();
    std::fs::rename(aside, path).unwrap();
}

#[test]
fn a_replaced_model_answers_soon_and_a_broken_one_never_while_clients_notice_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let first = std::fs::read(shipped()).unwrap();
    let mut other = Model::open(shipped()).unwrap();
    other.set_temperature(3.0);
    other.set_input_size(160).unwrap();
    let second_path = folder.path().join("second.safetensors");
    other.save(&second_path).unwrap();
    let second = std::fs::read(&second_path).unwrap();
    replace(&path, &first);

    let source = Arc::new(FileSource { path: path.clone(), views: TestViews::One });
    let log = Arc::new(Remembered::default());
    let observer = Arc::<Remembered>::clone(&log);
    let state = start(ServeConfig { reload: true, ..config() }, &*source, observer).unwrap();
    let server = Running::with_state(state.clone());
    let watched: Arc<dyn ModelSource> = source;
    server.runtime.spawn(reload_on_change(state, watched, Duration::from_millis(50)));

    let (stop, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let digests: BTreeSet<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let request = raw_post("/v1/predict", &jpeg(400));
                    let mut stream = server.connect();
                    let mut digests = BTreeSet::new();
                    while !stop.load(Ordering::Relaxed) {
                        let (status, _, body) = exchange(&mut stream, &request);
                        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                        let answer: Value = serde_json::from_slice(&body).unwrap();
                        digests.insert(answer["model"]["digest"].as_str().unwrap().to_owned());
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                    digests
                })
            })
            .collect();
        let wait = |text: &str, count: usize| {
            let begun = Instant::now();
            while log.lines().iter().filter(|line| line.contains(text)).count() < count {
                assert!(begun.elapsed() < PATIENCE, "no {text} in {:?}", log.lines());
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        // Each model answers some photos before the next one comes: more than may be on their way.
        let wait_for_answers = || {
            let (begun, before) = (Instant::now(), answers.load(Ordering::Relaxed));
            while answers.load(Ordering::Relaxed) < before + 8 {
                assert!(begun.elapsed() < PATIENCE, "no more answers");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait_for_answers();
        replace(&path, &second);
        wait("\"reloaded\"", 1);
        wait_for_answers();
        replace(&path, &first[..1000]);
        wait("reload_failed", 1);
        wait_for_answers();
        replace(&path, &first);
        wait("\"reloaded\"", 2);
        replace(&path, &second);
        wait("\"reloaded\"", 3);
        wait_for_answers();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(digests.len(), 2, "both models answered, and the broken one never: {digests:?}");
    assert_eq!(server.metric("cairn_model_reloads_total{outcome=\"success\"}"), 3.0);
    assert_eq!(server.metric("cairn_model_reloads_total{outcome=\"failure\"}"), 1.0);
    let (status, _, body) = exchange(&mut server.connect(), &raw_post("/v1/predict", &jpeg(400)));
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let digest = cairn_model::rows::ModelIdentity::new("", &second).digest;
    assert_eq!((status, answer["model"]["digest"].as_str().unwrap()), (200, digest.as_str()));
}
