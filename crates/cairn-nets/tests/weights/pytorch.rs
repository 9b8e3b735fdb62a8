//! Files that PyTorch writes, held to what PyTorch reads from them. `pytorch_files.py` makes them when the tests run.

use std::path::{Path, PathBuf};

use cairn_nets::weights::{RawTensor, read_pth};
use cairn_reference::python_with;
use serde_json::Value;

#[test]
fn every_file_of_pytorch_gives_the_tensors_that_pytorch_reads_or_is_refused_with_a_reason() {
    let Some(python) = python_with(&["torch"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/weights/pytorch_files.py");
    python.run(&script, &[folder.path().as_ref()]);

    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "pth")).collect();
    assert!(files.len() > 20, "the script made {} files", files.len());
    let failures: Vec<String> = files.iter().filter_map(|path| difference(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Where the file and what is expected of it part, if they do.
fn difference(path: &Path) -> Option<String> {
    let expected = std::fs::read(path.with_extension("json")).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    let refusal: Option<Vec<&str>> = expected.iter().map(Value::as_str).collect();
    match (read_pth(path, None).map(|content| content.tensors), refusal) {
        (Err(error), Some(words)) => {
            let message = error.to_string();
            let lacks = words.iter().find(|word| !message.contains(**word))?;
            Some(format!("`{message}` lacks `{lacks}`"))
        }
        (Ok(_), Some(_)) => Some(format!("{}: read, but is to be refused", path.display())),
        (Err(error), None) => Some(error.to_string()),
        (Ok(tensors), None) => {
            let found: Vec<Value> = tensors.iter().map(described).collect();
            let place = path.display();
            if found.len() != expected.len() {
                return Some(format!("{place}: {} tensors, not {}", found.len(), expected.len()));
            }
            let (found, expected) =
                found.iter().zip(&expected).find(|(found, expected)| found != expected)?;
            Some(format!("{place}: {found}, not {expected}"))
        }
    }
}

/// The tensor as `pytorch_files.py` describes it.
fn described(tensor: &RawTensor) -> Value {
    let hex: String = tensor.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (name, dtype) = (&tensor.name, format!("{:?}", tensor.dtype));
    serde_json::json!({ "name": name, "dtype": dtype, "shape": tensor.shape, "bytes": hex })
}
