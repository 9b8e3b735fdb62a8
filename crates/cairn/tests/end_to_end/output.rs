//! What goes where: data to standard output, files where they can be written, escape codes to terminals alone.

use crate::sandbox::Sandbox;

const VERBS: [&str; 20] = [
    "demo",
    "data",
    "train",
    "test",
    "predict",
    "suggest",
    "explain",
    "export",
    "lr-find",
    "sweep",
    "runs",
    "calibrate",
    "learn",
    "forget",
    "similar",
    "import",
    "nets",
    "bench",
    "completions",
    "man",
];

#[test]
fn an_output_that_cannot_be_written_is_an_error_with_its_path() {
    let sandbox = Sandbox::trained();
    // Below a file there can be no folder, whoever one is: permissions would not stop root.
    for arguments in [
        "train photos --recipe tiny.toml --out tiny.toml/run",
        "test run photos --report tiny.toml/report.html",
        "data show photos -o tiny.toml/montage.png --recipe tiny.toml -n 4",
        "man -o tiny.toml/pages",
        "demo --out tiny.toml/demo",
    ] {
        let run = sandbox.cairn(arguments);
        run.assert_status(1).assert_stderr_has("error: ").assert_stderr_has("tiny.toml/");
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
    assert_eq!(sandbox.read("tiny.toml"), crate::sandbox::RECIPE.as_bytes());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_nobody_may_write_to_is_an_error_before_anything_is_trained() {
    let sandbox = Sandbox::new();
    let train = sandbox.cairn("train photos --recipe tiny.toml --out /proc/cairn-run");
    train.assert_status(1).assert_stderr_has("/proc/cairn-run: cannot be written");
    assert!(!train.stderr.contains("epoch"), "{train}");
}

#[test]
fn output_that_is_no_terminal_gets_no_escape_codes_and_no_bars() {
    let sandbox = Sandbox::new();
    for arguments in [
        "train photos --recipe tiny.toml --out run --tui",
        "test run photos",
        "predict photos/test -m run",
        "suggest photos/test/03.Dome/0000.jpg -m run",
        "data check photos",
        "data stats photos",
        "train --help",
        "train --no-such-option",
    ] {
        for variables in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "xterm-256color")]] {
            // The later trainings are refused, for the first one's folder: an output like any other.
            let run = sandbox.cairn_with(arguments, variables);
            let escapes = ['\u{1b}', '\r'];
            assert!(!run.stdout.contains(escapes) && !run.stderr.contains(escapes), "{variables:?}: {run}");
        }
    }
}

#[test]
fn no_name_reaches_a_terminal_as_a_command() {
    let sandbox = Sandbox::trained();
    sandbox.cairn("calibrate run --data photos -o known.safetensors").assert_status(0);
    // An escape sequence, one that begins with a single character, and one that turns the direction of writing.
    let evil = "evil\u{1b}[31m\u{9b}2J\u{202e}";
    let photo = &format!("{evil}/good{evil}.jpg");
    sandbox.copy("photos/test/03.Dome/0000.jpg", photo);
    sandbox.copy("photos/test/03.Dome/0000.jpg", &format!("set/train/{evil}/1.jpg"));
    sandbox.copy("photos/test/03.Dome/0001.jpg", &format!("set/train/{evil}/2.jpg"));
    sandbox.file(&format!("{evil}/bad{evil}.jpg"), b"not a photo");
    for arguments in [
        format!("predict {evil} -m run"),
        format!("predict {evil} -m run --format json"),
        format!("predict {evil} -m run --format jsonl"),
        format!("suggest {photo} -m run"),
        format!("suggest {evil}/bad{evil}.jpg -m run"),
        format!("explain {photo} -m run"),
        format!("explain {photo} -m run --class {evil}"),
        format!("similar {photo} {evil} -m run"),
        format!("similar {photo} {evil} -m run --format json"),
        format!("learn known.safetensors --name Dome2 {evil} -o {evil}.safetensors"),
        format!("forget known.safetensors --name {evil} -o x.safetensors"),
        "data check set".to_owned(),
        "data stats set".to_owned(),
        format!("test {evil} photos"),
        format!("train {evil} --recipe {evil}"),
        format!("train photos --recipe tiny.toml --{evil}"),
        format!("{evil} photos"),
        format!("runs list {evil}"),
        format!("runs compare {evil}"),
        format!("export {evil} --format onnx -o x.onnx"),
        format!("import {evil} --net three-conv --classes {evil} -o x.safetensors"),
        format!("data show {evil} -o {evil}.png"),
    ] {
        let run = sandbox.cairn(&arguments);
        let hidden = |text: &str| text.contains(|c| c != '\n' && cairn_dataset::escape::is_hidden(c));
        assert!(!hidden(&run.stdout) && !hidden(&run.stderr), "{run:?}");
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
}

#[test]
fn help_and_version_are_data_and_every_verb_is_in_them() {
    let sandbox = Sandbox::new();
    let help = sandbox.cairn("--help");
    help.assert_status(0).assert_stdout_has("Exit status:");
    assert_eq!(help.stderr, "");
    for verb in VERBS {
        help.assert_stdout_has(verb);
        sandbox.cairn(&format!("{verb} --help")).assert_status(0).assert_stdout_has("Usage:");
    }
    sandbox.cairn("--version").assert_status(0).assert_stdout_has(env!("CARGO_PKG_VERSION"));
}

#[test]
fn completions_are_made_for_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.cairn(&format!("completions {shell}"));
        script.assert_status(0).assert_stdout_has("suggest").assert_stdout_has("recipe");
    }
}

#[test]
fn a_manual_page_is_made_for_every_verb() {
    let sandbox = Sandbox::new();
    sandbox.cairn("man -o pages").assert_status(0);
    for page in ["cairn".to_owned(), "cairn-data-check".to_owned()]
        .into_iter()
        .chain(VERBS.map(|verb| format!("cairn-{verb}")))
    {
        let text = String::from_utf8(sandbox.read(&format!("pages/{page}.1"))).unwrap();
        assert!(text.contains(".TH "), "{page}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::{BufRead, BufReader, Read};

    let sandbox = Sandbox::trained();
    // Enough to be far from done when the reader goes.
    let many = "photos ".repeat(8);
    let mut child = sandbox.spawn(&format!("predict {many} -m run --format jsonl"));
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap(); // and then closes the pipe
    assert!(first.starts_with('{'), "{first}");
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{complaints}");
    assert_eq!(complaints, "");
}

#[cfg(unix)]
#[test]
fn a_bar_is_drawn_beside_a_file_and_not_between_the_lines_of_a_pipes_reader() {
    use std::path::Path;

    use cairn_reference::python_with;

    let Some(python) = python_with(&["pty"]) else { return };
    let sandbox = Sandbox::trained();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/on_terminal.py");
    let said = |redirection: &str| {
        let command =
            format!("'{}' predict photos -m run --format jsonl {redirection}", env!("CARGO_BIN_EXE_cairn"));
        python.run(&script, &[sandbox.path("").as_os_str(), command.as_ref()])
    };
    assert!(said("> rows.jsonl").contains("photos ["), "a file: the bar is all that is seen");
    let piped = said("| head -2 > two.jsonl");
    assert!(!piped.contains("photos ["), "{piped}");
}
