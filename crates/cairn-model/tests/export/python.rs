//! Python, where there is one: the reference that exported models are held to.

use std::path::Path;

use cairn_reference::{Python, python_with};

/// A Python with torch; says so where there is none.
pub(crate) fn python_with_torch() -> Option<Python> {
    python_with(&["torch", "numpy"])
}

/// Runs a command of `export_reference.py` on a folder.
pub(crate) fn run(python: &Python, command: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/export_reference.py");
    println!("{}", python.run(&script, &[command.as_ref(), folder.as_ref()]));
}
