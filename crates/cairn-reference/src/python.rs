//! Python scripts that compute what tests compare with.
//!
//! The Python is that of the environment variable `CAIRN_PYTHON`, or else `python3`. `.ci/run` makes one that has all
//! packages.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::need::{Need, skip};

/// A Python that has the packages that a test asked for.
#[derive(Debug, Clone)]
pub struct Python {
    program: String,
}

/// The Python, if it imports these packages; else the test [skips](skip), because it has nothing to compare with.
pub fn python_with(packages: &[&str]) -> Option<Python> {
    let program = env::var("CAIRN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = packages.join(", ");
    let output = Command::new(&program).args(["-c", &format!("import {imports}")]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(Python { program });
    }
    skip(Need::Python, format!("{program} cannot import {imports}; name one that can in CAIRN_PYTHON"));
    None
}

impl Python {
    /// Runs a script and gives what it prints.
    ///
    /// # Panics
    /// When it fails, with what it says about that.
    pub fn run(&self, script: &Path, arguments: &[&OsStr]) -> String {
        let output = Command::new(&self.program).arg(script).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{} does not start: {error}", self.program));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} failed: {said}", script.display());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
