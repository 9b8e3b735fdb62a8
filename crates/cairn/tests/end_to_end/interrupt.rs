//! Ctrl-C and other signals save and end a training, `--resume` continues it as if nothing had been, and no folder is trained
//! in twice at once.

#![cfg(unix)]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use cairn_reference::{Need, python_with, skip};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// Sends a signal, such as `INT`, which is what Ctrl-C sends.
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// The lines of a process's standard error.
type Said = Lines<BufReader<ChildStderr>>;

/// Reads what `child` says up to a line that begins with `start`.
fn wait_for(child: &mut Child, start: &str) -> Said {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = lines.find(|line| line.as_ref().unwrap().starts_with(start));
    assert!(found.is_some(), "it ended before it said {start}");
    lines
}

/// Starts a training in the run folder `name`, sends it the signal of this name after its second epoch, and gives its exit
/// status and what it said after that. On a busy machine it may end before the signal comes: then it begins again.
fn signalled_in_time(sandbox: &Sandbox, name: &str, train: &str) -> (Option<i32>, Vec<String>) {
    for _ in 0..20 {
        let mut child = sandbox.spawn(train);
        let lines = wait_for(&mut child, "epoch 2/");
        signal(&child, name);
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        if !rest.iter().any(|line| line.contains("all epochs done")) {
            return (child.wait().unwrap().code(), rest);
        }
        child.wait().unwrap();
        std::fs::remove_dir_all(sandbox.path(name)).unwrap();
    }
    panic!("no {name} ended a training");
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
fn a_signal_saves_and_the_resumed_run_ends_as_the_uninterrupted_one_does() {
    let sandbox = Sandbox::new();
    let train = |run: &str| format!("train photos --recipe tiny.toml --epochs 25 --out {run}");
    sandbox.cairn(&train("whole")).assert_status(0);
    let model = |run: &str| sandbox.read(&format!("{run}/best.safetensors"));

    // Statuses as shells have them: 128 and the signal's number.
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        if name == "HUP" && hangups_are_ignored() {
            continue;
        }
        let (ended, rest) = signalled_in_time(&sandbox, name, &train(name));
        assert_eq!(ended, Some(status), "{name}: {rest:#?}");
        let resume = format!("cairn train --resume {name}");
        assert!(rest.iter().any(|line| line.contains(&resume)), "{rest:#?}");
        assert!(epochs(&sandbox, name).len() < 25, "it was interrupted before its end");

        let resumed = sandbox.cairn(&format!("train --resume {name}"));
        resumed
            .assert_status(0)
            .assert_stderr_has("going on with epoch")
            .assert_stderr_has("all epochs done");
        assert_eq!(epochs(&sandbox, name), epochs(&sandbox, "whole"), "{name}");
        assert!(model(name) == model("whole"), "{name}: the best models must be equal byte for byte");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_that_was_told_to_outlive_its_terminal_does_so() {
    let sandbox = Sandbox::new();
    // As `nohup` starts a program.
    let mut command = Command::new("sh");
    let train = "trap '' HUP; exec \"$0\" train photos --recipe tiny.toml --epochs 25 --out run";
    command.args(["-c", train, env!("CARGO_BIN_EXE_cairn")]).current_dir(sandbox.path(""));
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = wait_for(&mut child, "epoch 2/");
    signal(&child, "HUP");
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:#?}");
    assert_eq!(epochs(&sandbox, "run").len(), 25);
}

/// Whether the tests run under `nohup`, or were started by a shell that has it ignore SIGHUP: what they start inherits
/// that.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0) & 1 == 1;
    if ignored {
        skip(Need::Hangups, "SIGHUP is ignored here");
    }
    ignored
}

#[test]
fn a_training_watched_on_a_terminal_that_is_closed_is_saved_and_ends() {
    if hangups_are_ignored() {
        return;
    }
    let Some(python) = python_with(&["pty"]) else { return };
    let sandbox = Sandbox::new();
    let path = |relative: &str| sandbox.path(relative).into_os_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/closed_terminal.py");
    let program: [OsString; 11] = [
        path("run/checkpoint.safetensors"),
        env!("CARGO_BIN_EXE_cairn").into(),
        "train".into(),
        path("photos"),
        "--recipe".into(),
        path("tiny.toml"),
        "--epochs".into(),
        "100000".into(),
        "--tui".into(),
        "--out".into(),
        path("run"),
    ];
    let status = python.run(&script, &program.each_ref().map(OsString::as_os_str));
    assert_eq!(status.trim(), "129");
    assert!(!epochs(&sandbox, "run").is_empty());
}

#[test]
fn a_run_that_is_under_way_is_not_resumed_and_not_begun_again() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.spawn("train photos --recipe tiny.toml --epochs 100000 --out run");
    let lines = wait_for(&mut child, "epoch 1/");
    sandbox
        .cairn("train --resume run")
        .assert_status(1)
        .assert_stderr_has("run: another cairn process is training");
    sandbox.cairn("train photos --recipe tiny.toml --out run").assert_status(1).assert_stderr_has("run: ");
    signal(&child, "TERM");
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{rest:#?}");
    let recipe = String::from_utf8(sandbox.read("run/recipe.toml")).unwrap();
    let done = epochs(&sandbox, "run").len();
    let shorter = recipe.replace("epochs = 100000", &format!("epochs = {}", done + 1));
    sandbox.file("run/recipe.toml", shorter.as_bytes());
    sandbox.cairn("train --resume run").assert_status(0).assert_stderr_has("all epochs done");
}

#[test]
fn two_trainings_started_at_once_each_get_a_run_folder_of_their_own() {
    let sandbox = Sandbox::new();
    let start = || sandbox.spawn("train photos --recipe tiny.toml");
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    for output in &both {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    for run in ["runs/tiny-1", "runs/tiny-2"] {
        assert_eq!(epochs(&sandbox, run).len(), 2, "{run}");
        assert!(sandbox.path(run).join("checkpoint.safetensors").is_file(), "{run}");
    }
}

#[test]
fn a_sweep_that_is_under_way_is_not_begun_again() {
    let sandbox = Sandbox::new();
    let sweep =
        "recipe = \"tiny.toml\"\nepochs = 100000\n[[vary]]\nkey = \"network.dropout\"\nvalues = [0.0, 0.5]\n";
    sandbox.file("sweep.toml", sweep.as_bytes());
    let mut child = sandbox.spawn("sweep photos --recipe sweep.toml");
    let lines = wait_for(&mut child, "epoch 1/");
    let again = sandbox.cairn("sweep photos --recipe sweep.toml");
    again.assert_status(1).assert_stderr_has("runs/sweep: another cairn process");
    // Nor is one of its runs gone on with.
    let run = "runs/sweep/network.dropout=0.0";
    let resumed = sandbox.cairn(&format!("train --resume {run}"));
    resumed.assert_status(1).assert_stderr_has(&format!("{run}: another cairn process"));
    signal(&child, "INT");
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
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
    sandbox
        .cairn("train --resume run")
        .assert_status(1)
        .assert_stderr_has("photos")
        .assert_stderr_has("cairn train DIR --resume run");
    sandbox.cairn("train moved --resume run").assert_status(0);
    sandbox.file("moved/train/03.Dome/0000.jpg", b"another");
    sandbox.cairn("train moved --resume run").assert_status(1).assert_stderr_has("have changed");
}

#[test]
fn no_file_of_a_run_or_its_report_names_an_absolute_path() {
    let sandbox = Sandbox::new();
    let home = sandbox.path("").canonicalize().unwrap();
    let home = home.to_str().unwrap().trim_end_matches('/');
    let train = format!("train {home}/photos --recipe {home}/tiny.toml --out {home}/run");
    sandbox.cairn(&train).assert_status(0);
    sandbox.cairn(&format!("test {home}/run {home}/photos")).assert_status(0).assert_stderr_has("report");
    let mut files = 0;
    for file in std::fs::read_dir(sandbox.path("run")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let leaks = bytes.windows(home.len()).any(|window| window == home.as_bytes());
        assert!(!leaks, "{} names {home}", path.display());
        files += 1;
    }
    assert!(files > 8 && sandbox.path("run/report.html").is_file());
    // Moved together, the run still finds its photos.
    std::fs::create_dir(sandbox.path("elsewhere")).unwrap();
    for part in ["run", "photos"] {
        std::fs::rename(sandbox.path(part), sandbox.path("elsewhere").join(part)).unwrap();
    }
    sandbox.cairn("train --resume elsewhere/run").assert_status(0).assert_stderr_has("done already");
}

#[test]
fn validation_photos_of_which_none_can_be_read_end_a_training_with_the_first_of_them_named() {
    let sandbox = Sandbox::new();
    sandbox.file("photos/valid/03.Dome/0000.jpg", b"no photo");
    sandbox.file("photos/valid/11.Windmill/0001.jpg", b"no photo");
    let train = sandbox.cairn("train photos --recipe tiny.toml --out run");
    train
        .assert_status(1)
        .assert_stderr_has("none of the 2 validation photos")
        .assert_stderr_has("03.Dome/0000.jpg");
    assert!(!sandbox.path("run/metrics.jsonl").exists(), "{train}");
}
