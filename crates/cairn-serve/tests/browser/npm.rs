//! Packages of npm that tests load into pages: `.ci/npm-packages.txt`. They are no part of the repository.

use std::path::{Path, PathBuf};

use cairn_reference::{Need, skip};

/// A file or folder of a package, where the gate installs it; else the test skips.
pub(crate) fn npm(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/npm");
    let found = root.join("node_modules").join(path);
    if found.exists() {
        return Some(found);
    }
    let why = format!("there is no {}; npm install --prefix target/npm PACKAGE", found.display());
    skip(Need::NpmPackages, why);
    None
}
