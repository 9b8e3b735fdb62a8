//! Data that goes nowhere is an error: standard output that is closed, or a disk that is full.

#![cfg(unix)]

use std::process::{Command, Stdio};

use crate::sandbox::Sandbox;

/// Verbs that write data to standard output.
const DATA: [&str; 24] = [
    "predict photos/test -m run",
    "predict photos/test -m run -v",
    "predict photos/test -m run --format json",
    "predict photos/test -m run --format jsonl",
    "predict photos/test -m run --format csv --brief",
    "predict empty -m run --format json",
    "suggest photos/test/08.Lighthouse/0000.jpg -m run",
    "explain photos/test/08.Lighthouse/0000.jpg -m run -o explained.png --force",
    "similar photos/test/08.Lighthouse/0000.jpg photos/test -m run",
    "similar photos/test/08.Lighthouse/0000.jpg photos/test -m run --format csv",
    "test run photos --out report.html --force",
    "test run photos --json --out report.html --force",
    "data check photos",
    "data check photos --json",
    "data stats photos --size 32",
    "data stats photos --size 32 --json",
    "data split photos/train -o parts.csv --force",
    "runs list .",
    "runs list . --format jsonl",
    "runs compare run",
    "nets",
    "nets --format json",
    "completions bash",
    "help predict",
];

/// Exit status and standard error of `cairn` with its standard output redirected by a shell.
fn redirected(sandbox: &Sandbox, arguments: &str, redirection: &str) -> (Option<i32>, String) {
    let script = format!("exec \"$0\" {arguments} {redirection}");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_cairn")]).current_dir(sandbox.path(""));
    let output = command.env_remove("CAIRN_MODEL").stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::trained();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox
}

#[test]
fn no_verb_ends_well_when_standard_output_is_closed() {
    let sandbox = sandbox();
    for arguments in DATA {
        let (status, said) = redirected(&sandbox, arguments, ">&-");
        assert_eq!(status, Some(1), "{arguments}: {said}");
        assert!(said.contains("standard output is closed"), "{arguments}: {said}");
    }
    // Null is a choice, and what writes no data needs no place for it.
    for (arguments, redirection) in [
        ("predict photos/test -m run", "> /dev/null"),
        ("predict photos/test -m run", "1<> /dev/null"),
        ("predict photos/test -m run --skip-done rows.jsonl", ">&-"),
        ("train photos --recipe tiny.toml --epochs 1 --out again", ">&-"),
    ] {
        let (status, said) = redirected(&sandbox, arguments, redirection);
        assert_eq!(status, Some(0), "{arguments} {redirection}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_verb_ends_well_when_the_disk_is_full() {
    let sandbox = sandbox();
    for arguments in DATA {
        let (status, said) = redirected(&sandbox, arguments, "> /dev/full");
        assert_eq!(status, Some(1), "{arguments}: {said}");
        let reason =
            ["standard output cannot be written: the disk is full", "No space left", "the disk is full"];
        assert!(reason.iter().any(|reason| said.contains(reason)), "{arguments}: {said}");
    }
}
