//! Ctrl-C saves and ends a training, and `--resume` goes on as if nothing had been.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// What Ctrl-C sends.
fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A run's epochs without their times.
fn epochs(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(&format!("{run}/metrics.jsonl"))).unwrap();
    let timeless = |line: &str| {
        let mut epoch: Value = serde_json::from_str(line).unwrap();
        let times = ["train_seconds", "photos_per_second", "data_wait"];
        epoch.as_object_mut().unwrap().retain(|key, _| !times.contains(&key.as_str()));
        epoch
    };
    text.lines().map(timeless).collect()
}

#[test]
fn ctrl_c_saves_and_the_resumed_run_ends_as_the_uninterrupted_one_does() {
    let sandbox = Sandbox::new();
    let train = |run: &str| format!("train photos --recipe tiny.toml --epochs 25 --out {run}");
    sandbox.cairn(&train("whole")).assert_status(0);

    let mut child = sandbox.spawn(&train("run"));
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().starts_with("epoch 2/")).unwrap().unwrap();
    interrupt(&child);
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("cairn train --resume run")), "{rest:#?}");
    assert!(epochs(&sandbox, "run").len() < 25, "it was interrupted before its end");

    let resumed = sandbox.cairn("train --resume run");
    resumed.assert_status(0).assert_stderr_has("going on with epoch").assert_stderr_has("all epochs done");
    assert_eq!(epochs(&sandbox, "run"), epochs(&sandbox, "whole"));
    let model = |run: &str| sandbox.read(&format!("{run}/best.safetensors"));
    assert!(model("run") == model("whole"), "the best models must be equal byte for byte");
}

#[test]
fn a_run_that_is_done_has_nothing_to_resume_and_stays_as_it_is() {
    let sandbox = Sandbox::trained();
    let before = sandbox.read("run/metrics.jsonl");
    sandbox.cairn("train --resume run").assert_status(0).assert_stderr_has("done already");
    assert!(sandbox.read("run/metrics.jsonl") == before);
}

#[test]
fn a_run_is_resumed_on_photos_that_have_moved_but_not_on_others() {
    let sandbox = Sandbox::trained();
    std::fs::rename(sandbox.path("photos"), sandbox.path("moved")).unwrap();
    sandbox.cairn("train --resume run").assert_status(1).assert_stderr_has("photos");
    sandbox.cairn("train moved --resume run").assert_status(0);
    sandbox.file("moved/train/03.Dome/0000.jpg", b"another");
    sandbox.cairn("train moved --resume run").assert_status(1).assert_stderr_has("have changed");
}
