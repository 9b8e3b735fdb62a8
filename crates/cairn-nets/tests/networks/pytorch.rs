//! The networks are those of PyTorch and torchvision: as many parameters, the same names, the same logits.

use std::env;
use std::path::Path;
use std::process::Command;

use burn::module::Module;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::{Architecture, Network, Precision, StateDict};
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

/// Compares an evaluation, a training-mode pass, the running statistics after it and the gradients of its loss.
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
    let found: Vec<f32> = logits.clone().into_data().iter::<f32>().collect();
    assert_close(&found, passes.values("trained").unwrap(), architecture, "logits in training");

    let after = training.valid().state_dict();
    for (name, _) in passes.shapes().filter(|(name, _)| name.contains(".running_")) {
        assert_close(after.values(name).unwrap(), passes.values(name).unwrap(), architecture, name);
    }
    compare_gradients(architecture, training, logits, passes);
}

/// Takes a step of one times the gradient of the cross-entropy, so that what the weights moved by is the gradient, and compares it
/// with PyTorch's in f64. In f32 some ReLUs let through what they should stop: PyTorch's own gradients of ResNet-34 in f32 are up
/// to 1.3 % from those in f64.
fn compare_gradients(architecture: Architecture, network: Network, logits: Tensor<2>, passes: &StateDict) {
    let before = network.valid().state_dict();
    let [batch, classes] = logits.dims();
    let labels: Vec<f32> =
        (0..batch * classes).map(|at| f32::from(u8::from(at / classes % classes == at % classes))).collect();
    let labels = Tensor::from_data(TensorData::new(labels, [batch, classes]), &logits.device());
    let loss = (log_softmax(logits, 1) * labels).sum() / -(batch as f32);
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let after = SgdConfig::new().init().step(1.0, network, gradients).valid().state_dict();
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let sizes = passes.shapes().filter(|(name, _)| name.starts_with("gradient of "));
    let largest = sizes
        .map(|(name, _)| norm(&mut passes.values(name).unwrap().iter().map(|g| f64::from(*g))))
        .fold(0.0, f64::max);
    for (name, _) in passes.shapes() {
        let Some(parameter) = name.strip_prefix("gradient of ") else { continue };
        let moved = before.values(parameter).unwrap().iter().zip(after.values(parameter).unwrap());
        let expected = passes.values(name).unwrap();
        let error =
            norm(&mut moved.zip(expected).map(|((b, a), g)| f64::from(*b) - f64::from(*a) - f64::from(*g)));
        let size = norm(&mut expected.iter().map(|g| f64::from(*g)));
        // A bias before batch norm has no gradient but what rounding leaves of others' sums, hence the largest's share.
        // Subtracting the gradient rounds the weights, in which small gradients then lose digits.
        let rounding = 1e-7 * norm(&mut before.values(parameter).unwrap().iter().map(|w| f64::from(*w)));
        assert!(
            error <= 2e-2 * size + 1e-5 * largest + rounding,
            "{architecture}: {name} off by {error} of {size}"
        );
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
