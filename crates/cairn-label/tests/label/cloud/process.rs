//! Stores of others, which tests start.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cairn_reference::{Need, skip};

/// A program that says its port and serves until it's dropped.
pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
}

impl Process {
    /// Starts a script of this folder; it prints its port once it serves.
    pub(super) fn python(script: &str, arguments: &[&Path]) -> Self {
        let python = std::env::var("CAIRN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/label/cloud").join(script);
        let mut command = Command::new(python);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse();
        Self { child, port: port.unwrap_or_else(|_| panic!("the server says {line:?}")) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends with its standard input, and whatever it has started with it.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// The folder of a package of npm; else the test skips.
pub(super) fn npm_package(name: &str) -> Option<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/npm/node_modules").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skip(Need::NpmPackages, format!("there is no folder {}", folder.display()));
    None
}
