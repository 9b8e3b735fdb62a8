//! The guide: its shell examples run as they are written, and its links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::sandbox::Sandbox;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The pages of the book, in its order.
fn pages() -> Vec<PathBuf> {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let links = summary.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(link, _)| link).filter(|link| !link.is_empty()).map(|link| docs().join(link)).collect()
}

/// The lines of the page's blocks that are marked `sh`.
fn shell_lines(page: &str) -> Vec<&str> {
    let mut fence = None;
    let mut lines = Vec::new();
    for line in page.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, Some("sh")) if !line.trim().is_empty() => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// What the introduction promises: `DIR`, `PHOTOS`, `OTHER_PHOTOS` and `photo.jpg`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::rename(sandbox.path("photos"), sandbox.path("DIR")).unwrap();
    for number in 0..4 {
        sandbox.copy(&format!("DIR/test/03.Dome/000{number}.jpg"), &format!("PHOTOS/{number}.jpg"));
    }
    for seed in 0..6 {
        let castle = cairn_synthetic::draw(cairn_synthetic::Kind::Castle, seed, 48);
        castle.save(sandbox.path("castle.png")).unwrap();
        sandbox.copy("castle.png", &format!("OTHER_PHOTOS/{seed}.png"));
    }
    sandbox.copy("DIR/test/03.Dome/0000.jpg", "photo.jpg");
    sandbox
}

/// A training of the guide takes ten minutes; here it is cut to one epoch.
fn shortened(line: &str) -> String {
    match line {
        train if train.starts_with("cairn train") && !train.contains("--resume") => {
            format!("{train} --epochs 1")
        }
        search if search.starts_with("cairn lr-find") => format!("{search} --batches 8"),
        line => line.to_owned(),
    }
}

#[test]
#[cfg(unix)]
fn every_shell_example_of_the_guide_runs_as_it_is_written() {
    let sandbox = sandbox();
    let program = Path::new(env!("CARGO_BIN_EXE_cairn")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut run = 0;
    for page in pages().iter().filter(|page| page.parent().is_some_and(|folder| folder.ends_with("guide"))) {
        let text = fs::read_to_string(page).unwrap();
        for line in shell_lines(&text) {
            let mut command = Command::new("sh");
            command.args(["-c", &shortened(line)]).current_dir(sandbox.path(""));
            command.env("PATH", &path).env_remove("CAIRN_MODEL").stdin(Stdio::null());
            // Where the state of a photo library is unless it is named.
            command.env("XDG_DATA_HOME", sandbox.path("data")).env_remove("CAIRN_STATE");
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: `{line}`: {said}", page.display());
            run += 1;
        }
    }
    assert!(run > 20, "{run} examples");
}

#[test]
fn every_link_of_the_book_and_the_readme_leads_to_a_file() {
    let readme = docs().join("../README.md");
    for page in pages().iter().chain([&readme]) {
        let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = file.contains("://") || file.is_empty() || file.contains(char::is_whitespace);
            assert!(elsewhere || page.parent().unwrap().join(file).exists(), "{}: {link}", page.display());
        }
    }
}
