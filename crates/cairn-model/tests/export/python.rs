//! Python, where there is one: the reference that exported models are held to.

use std::env;
use std::path::Path;
use std::process::Command;

/// Runs a command of `export_reference.py` on a folder.
pub(crate) fn run(python: &str, command: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/export_reference.py");
    let output = Command::new(python).arg(script).arg(command).arg(folder).output().unwrap();
    let (printed, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    assert!(output.status.success(), "{failed}");
}

/// The Python of `CAIRN_PYTHON`, which must have torch, or `python3` if it has.
pub(crate) fn python_with_torch() -> Option<String> {
    if let Ok(python) = env::var("CAIRN_PYTHON") {
        return Some(python);
    }
    let imports = Command::new("python3").args(["-c", "import torch, numpy"]).output();
    if imports.is_ok_and(|output| output.status.success()) {
        return Some("python3".to_owned());
    }
    println!("skipped: python3 cannot import torch and numpy; name one that can in CAIRN_PYTHON");
    None
}
