//! The networks are those of PyTorch and torchvision: as many parameters, the same names, the same logits.

use std::env;
use std::path::Path;
use std::process::Command;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::{Architecture, Precision, StateDict};
use serde::Deserialize;

use crate::network;

/// A line of `parameter_counts.json`.
#[derive(Deserialize)]
struct ParameterCount {
    architecture: Architecture,
    classes: usize,
    side: usize,
    parameters: usize,
}

#[test]
fn every_network_has_as_many_parameters_as_the_same_network_in_pytorch() {
    // Counted by pytorch_reference.py.
    let counts: Vec<ParameterCount> = serde_json::from_str(include_str!("parameter_counts.json")).unwrap();
    let counted: Vec<Architecture> = counts.iter().map(|count| count.architecture).collect();
    assert_eq!(counted, Architecture::ALL, "each architecture is counted");
    for ParameterCount { architecture, classes, side, parameters } in counts {
        let found = network(architecture, classes, side).parameter_count();
        assert_eq!(found, parameters, "{architecture}");
    }
}

#[test]
fn every_network_computes_what_pytorch_computes_from_the_same_weights() {
    let Some(python) = python_with_torch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/pytorch_reference.py");
    let status = Command::new(python).arg(script).arg("passes").arg(folder.path()).status().unwrap();
    assert!(status.success(), "pytorch_reference.py failed");
    for architecture in Architecture::ALL {
        let read = |what: &str| {
            let bytes =
                std::fs::read(folder.path().join(format!("{architecture}.{what}.safetensors"))).unwrap();
            StateDict::from_safetensors(&bytes, "none").unwrap().0
        };
        compare_passes(architecture, &read("weights"), &read("passes"));
    }
}

/// Compares an evaluation, a training-mode pass and the running statistics after it.
fn compare_passes(architecture: Architecture, weights: &StateDict, passes: &StateDict) {
    let shape_of = |wanted| passes.shapes().find(|&(name, _)| name == wanted).unwrap().1;
    let &[batch, _, side, _] = shape_of("images") else { panic!("images have four axes") };
    let &[_, classes] = shape_of("evaluated") else { panic!("logits have two axes") };
    // Takes the state dict's names as they are, or says which do not agree.
    let network = network(architecture, classes, side).with_state_dict(weights).unwrap();

    let images = passes.values("images").unwrap().to_vec();
    let logits = network.logits(images.clone(), side, side, Precision::F32).concat();
    assert_close(&logits, passes.values("evaluated").unwrap(), architecture, "logits in evaluation");

    let training = network.train();
    let images = TensorData::new(images, [batch, 3, side, side]);
    let logits = training.forward(Tensor::from_data(images, &Device::flex().autodiff()), Precision::F32);
    let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
    assert_close(&logits, passes.values("trained").unwrap(), architecture, "logits in training");

    let after = training.valid().state_dict();
    for (name, _) in passes.shapes().filter(|(name, _)| name.contains(".running_")) {
        assert_close(after.values(name).unwrap(), passes.values(name).unwrap(), architecture, name);
    }
}

/// Holds every value to within 1e-4 of the largest.
#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], architecture: Architecture, what: &str) {
    assert_eq!(found.len(), expected.len(), "{architecture}: {what}");
    let scale = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-4 * scale, "{architecture}: {what} off by {worst} where the largest is {scale}");
}

/// The Python of `CAIRN_PYTHON`, which must have torch, or `python3` if it has.
fn python_with_torch() -> Option<String> {
    if let Ok(python) = env::var("CAIRN_PYTHON") {
        return Some(python);
    }
    let imports = Command::new("python3").args(["-c", "import torch, torchvision"]).output();
    if imports.is_ok_and(|output| output.status.success()) {
        return Some("python3".to_owned());
    }
    println!("skipped: python3 cannot import torch and torchvision; name one that can in CAIRN_PYTHON");
    None
}
