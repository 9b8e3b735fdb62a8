//! The forms in which people keep a network's weights all give one model. `checkpoints.py` writes them when the tests run.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_model::{ImportOptions, Imported, Model};
use cairn_nets::weights::{WeightsFile, read_weights};
use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, StateDict};
use cairn_photo::{Framing, Normalisation, Preprocess};
use cairn_reference::python_with;
use serde_json::{Value, json};

const ARCHITECTURE: Architecture = Architecture::ResNet10Small;

fn weights() -> StateDict {
    let spec = NetworkSpec {
        architecture: ARCHITECTURE,
        classes: 3,
        side: 32,
        dropout: 0.0,
        pooling: Pooling::Average,
    };
    spec.build(Init::Default, 5, &Device::flex()).unwrap().state_dict()
}

fn import(weights: &StateDict) -> Result<Imported, String> {
    let framing = Framing::ShortSideCrop { short_side: 36, crop: 32 };
    let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
    let classes = ClassList::from_folders(["Arc", "Bridge", "Castle"]);
    let foreign =
        ImportOptions { architecture: ARCHITECTURE, weights, classes, preprocess, origin: "theirs" };
    Model::import(foreign).map_err(|error| error.to_string())
}

/// The file imported, and what is said about it as `checkpoints.py` writes it.
fn imported(path: &Path, key: Option<&str>) -> Result<(StateDict, Value), String> {
    let file = read_weights(path, key).map_err(|error| error.to_string())?;
    let WeightsFile { weights, key, unread_classes, .. } = file;
    let Imported { model, prefix, ignored, head } = import(&weights)?;
    let said = json!({
        "key": key, "prefix": prefix, "ignored": ignored, "head": head, "classes": unread_classes
    });
    Ok((model.network().state_dict(), said))
}

/// How far the two are apart at most, as a share of the value; infinite where shapes or names differ.
fn difference(found: &StateDict, expected: &StateDict) -> f32 {
    if !found.shapes().eq(expected.shapes()) {
        return f32::INFINITY;
    }
    let of = |name: &str| found.values(name).unwrap().iter().zip(expected.values(name).unwrap());
    let apart =
        expected.shapes().flat_map(|(name, _)| of(name)).map(|(a, b)| (a - b).abs() / b.abs().max(1e-3));
    apart.fold(0.0, f32::max)
}

/// What is wrong with how a file is imported, if anything.
fn fault(path: &Path, weights: &StateDict) -> Option<String> {
    let expected: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if let Some(words) = expected["refused"].as_array() {
        let Err(message) = imported(path, None) else { return Some(format!("{name}: imported")) };
        let lacks = words.iter().find(|word| !message.contains(word.as_str().unwrap()))?;
        return Some(format!("{name}: `{message}` lacks {lacks}"));
    }
    let (found, mut said) = match imported(path, None) {
        Ok(imported) => imported,
        Err(message) => return Some(format!("{name}: {message}")),
    };
    let tolerance = if expected["exact"] == json!(true) { 0.0 } else { 1e-2 };
    let difference = difference(&found, weights);
    if difference > tolerance {
        return Some(format!("{name}: weights differ by {difference}"));
    }
    if expected["classes"] == json!(["*"]) {
        said["classes"] = json!(["*"]);
    }
    let wrong =
        ["key", "prefix", "ignored", "head", "classes"].into_iter().find(|k| said[k] != expected[k])?;
    Some(format!("{name}: {wrong} is {}, not {}", said[wrong], expected[wrong]))
}

#[test]
fn every_form_of_checkpoint_gives_the_same_model_or_says_what_it_is_and_what_to_do() {
    let Some(python) = python_with(&["torch", "numpy"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let weights = weights();
    let given = folder.path().join("weights.bin");
    fs::write(&given, weights.to_safetensors("format", "pt".to_owned()).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/checkpoints.py");
    python.run(&script, &[given.as_ref(), folder.path().as_ref()]);

    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "ckpt" || kind == "safetensors"))
        .collect();
    assert!(files.len() >= 50, "the script made {} files", files.len());
    let faults: Vec<String> = files.iter().filter_map(|path| fault(path, &weights)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    // A key chooses another state dict of the checkpoint, or one of two networks in a state dict.
    let (found, _) = imported(&folder.path().join("timm.ckpt"), Some("state_dict")).unwrap();
    assert!(difference(&found, &weights) > 0.5);
    for (file, key) in
        [("two_networks", "teacher"), ("two_keys", "critic"), ("own_key", "resnet"), ("parallel", "module")]
    {
        let (found, _) = imported(&folder.path().join(format!("{file}.ckpt")), Some(key)).unwrap();
        assert_eq!(difference(&found, &weights), 0.0, "{file}");
    }
    let error = imported(&folder.path().join("timm.ckpt"), Some("ema")).unwrap_err();
    assert!(error.contains("`ema`") && error.contains("`state_dict_ema`, `state_dict`"), "{error}");
    let error = imported(&folder.path().join("safe_plain.safetensors"), Some("model")).unwrap_err();
    assert!(error.contains("`model.`"), "{error}");
}
