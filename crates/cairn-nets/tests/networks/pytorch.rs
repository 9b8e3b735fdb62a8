//! The networks are those of PyTorch, torchvision and timm: as many parameters, the same names, the same logits.

use std::path::Path;

use burn::module::Module;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::weights::read_pth;
use cairn_nets::{Architecture, Network, Pooling, Precision, StateDict};
use cairn_reference::python_with;
use serde::Deserialize;

use crate::{network, pooled};

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
    let Some(python) = python_with(&["torch", "torchvision", "timm"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/pytorch_reference.py");
    python.run(&script, &["passes".as_ref(), folder.path().as_ref()]);
    for architecture in Architecture::ALL {
        let file = |what: &str| folder.path().join(format!("{architecture}.{what}"));
        let read = |what| StateDict::from_safetensors(&std::fs::read(file(what)).unwrap(), "none").unwrap().0;
        let weights = read("weights.safetensors");
        compare_files(architecture, &weights, &file("pth"));
        let network = compare_passes(architecture, Pooling::Average, &weights, &read("passes.safetensors"));
        let back = network.state_dict().to_safetensors("note", String::new()).unwrap();
        std::fs::write(file("back.safetensors"), back).unwrap();
        // Some are large.
        ["weights.safetensors", "pth"].iter().for_each(|what| std::fs::remove_file(file(what)).unwrap());
    }
    python.run(&script, &["strict".as_ref(), folder.path().as_ref()]);
}

#[test]
fn networks_with_gem_compute_what_pytorch_computes_with_the_paper_s_pool() {
    let Some(python) = python_with(&["torch", "torchvision", "timm"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/pytorch_reference.py");
    python.run(&script, &["gem".as_ref(), folder.path().as_ref()]);
    for architecture in
        [Architecture::ResNet10Small, Architecture::RegNetY800Mf, Architecture::EfficientNetLite0]
    {
        let file = |what: &str| folder.path().join(format!("{architecture}.gem.{what}.safetensors"));
        let read = |what| StateDict::from_safetensors(&std::fs::read(file(what)).unwrap(), "none").unwrap().0;
        let passes = read("passes");
        assert!(passes.values("gradient of pool.p").unwrap()[0] != 0.0, "{architecture}");
        compare_passes(architecture, Pooling::Gem, &read("weights"), &passes);
    }
}

#[test]
fn checkpoints_of_timm_give_timm_s_logits() {
    let Some(python) = python_with(&["torch", "torchvision", "timm"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/pytorch_reference.py");
    python.run(&script, &["timm".as_ref(), folder.path().as_ref()]);
    for architecture in [
        Architecture::ResNet18,
        Architecture::ResNet34,
        Architecture::ResNet50,
        Architecture::MobileNetV2,
        Architecture::MobileNetV3Large,
        Architecture::EfficientNetB0,
        Architecture::EfficientNetLite0,
        Architecture::RegNetY800Mf,
        Architecture::ConvNextTiny,
    ] {
        let file = |what: &str| folder.path().join(format!("{architecture}.timm.{what}"));
        let passes = std::fs::read(file("safetensors")).unwrap();
        let passes = StateDict::from_safetensors(&passes, "none").unwrap().0;
        let weights = StateDict::from_tensors(read_pth(file("pth"), None).unwrap().tensors);
        let network = network(architecture, 7, 75);
        let named = network.name_weights(weights).unwrap();
        assert!(named.ignored.is_empty() && named.prefix.is_empty(), "{architecture}: {named:?}");
        let network = network.with_state_dict(named.weights).unwrap();
        let logits = network.logits(passes.values("images").unwrap(), 75, 75, Precision::F32).concat();
        assert_close(&logits, passes.values("evaluated").unwrap(), architecture, "logits of timm's weights");
        std::fs::remove_file(file("pth")).unwrap();
    }
}

/// The same tensors stand in the `.pth` file, and batch norm's counters, which no network here has.
fn compare_files(architecture: Architecture, weights: &StateDict, pth: &Path) {
    let mut tensors = read_pth(pth, None).unwrap().tensors;
    tensors.retain(|tensor| !tensor.name.ends_with("num_batches_tracked"));
    assert_eq!(tensors.len(), weights.shapes().count(), "{architecture}");
    for tensor in &tensors {
        let same = weights.values(&tensor.name) == Some(tensor.to_f32().as_slice());
        assert!(same, "{architecture}: {} differs between .pth and .safetensors", tensor.name);
    }
}

/// Compares an evaluation, a training-mode pass, the running statistics after it, the gradients of its loss and the
/// weights after a step. Gives the network with the given weights.
fn compare_passes(
    architecture: Architecture,
    pooling: Pooling,
    weights: &StateDict,
    passes: &StateDict,
) -> Network {
    let shape_of = |wanted| passes.shapes().find(|&(name, _)| name == wanted).unwrap().1;
    let &[batch, _, side, _] = shape_of("images") else { panic!("images have four axes") };
    let &[_, classes] = shape_of("evaluated") else { panic!("logits have two axes") };
    // Takes the state dict's names as they are, or says which do not agree.
    let network = pooled(architecture, classes, side, pooling).with_state_dict(weights.clone()).unwrap();

    let images = passes.values("images").unwrap().to_vec();
    let logits = network.logits(&images, side, side, Precision::F32).concat();
    assert_close(&logits, passes.values("evaluated").unwrap(), architecture, "logits in evaluation");

    let training = network.clone().train();
    let images = TensorData::new(images, [batch, 3, side, side]);
    let logits = training.forward(Tensor::from_data(images, &Device::flex().autodiff()), Precision::F32);
    let found: Vec<f32> = logits.clone().into_data().iter::<f32>().collect();
    assert_close(&found, passes.values("trained").unwrap(), architecture, "logits in training");

    let after = training.valid().state_dict();
    for (name, _) in passes.shapes().filter(|(name, _)| name.contains(".running_")) {
        assert_close(after.values(name).unwrap(), passes.values(name).unwrap(), architecture, name);
    }
    compare_step(architecture, training, logits, passes);
    network
}

/// How far the reference's step goes, all weights together. A bias that is smaller is little but the step, and has the
/// gradient's digits.
const STEP_LENGTH: f32 = 1e-3;

/// Takes a step of one times the gradient of the cross-entropy, so that what the weights moved by is the gradient.
fn compare_step(architecture: Architecture, network: Network, logits: Tensor<2>, passes: &StateDict) {
    let before = network.valid().state_dict();
    let [batch, classes] = logits.dims();
    let labels: Vec<f32> =
        (0..batch * classes).map(|at| f32::from(u8::from(at / classes == at % classes))).collect();
    let labels = Tensor::from_data(TensorData::new(labels, [batch, classes]), &logits.device());
    let loss = (log_softmax(logits, 1) * labels).sum() / -(batch as f32);
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let after = SgdConfig::new().init().step(1.0, network, gradients).valid().state_dict();
    let moves: Vec<Move> =
        passes.shapes().filter_map(|(name, _)| Move::of(name, passes, &before, &after)).collect();
    assert!(!moves.is_empty(), "{architecture}");
    let rate = f64::from(passes.values("rate").unwrap()[0]);
    let largest = moves.iter().map(|each| norm(&each.gradient)).fold(0.0, f64::max);
    for Move { name, before, after, gradient, stepped } in &moves {
        let found: Vec<f64> = before.iter().zip(after).map(|(before, after)| before - after).collect();
        // In f32 some ReLUs let through what they should stop: PyTorch's own gradients of ResNet-50 in f32 are up to 4.5 %
        // from those in f64, which these are compared with. A bias before batch norm has no gradient but what rounding
        // leaves of others' sums, hence the largest's share. Subtracting the gradient rounds the weights, in which small
        // gradients then lose digits.
        let most = 5e-2 * norm(gradient) + 1e-5 * largest + 1e-7 * norm(before);
        let error = norm(&found.iter().zip(gradient).map(|(a, b)| a - b).collect::<Vec<_>>());
        assert!(error <= most, "{architecture}: gradient of {name} off by {error} of {}", norm(gradient));
        // The step at the rate that PyTorch took it at.
        let ours: Vec<f32> =
            before.iter().zip(&found).map(|(before, gradient)| (before - rate * gradient) as f32).collect();
        let theirs: Vec<f32> = stepped.iter().map(|weight| *weight as f32).collect();
        assert_within(&ours, &theirs, STEP_LENGTH, architecture, name);
    }
}

/// A parameter, or every 97th value of a large one, before and after a step of one times its gradient.
struct Move<'a> {
    name: &'a str,
    before: Vec<f64>,
    after: Vec<f64>,
    /// PyTorch's gradient in f64.
    gradient: Vec<f64>,
    /// Where PyTorch's step by it ends.
    stepped: Vec<f64>,
}

impl<'a> Move<'a> {
    /// `None` where what is called `outcome` is no gradient.
    fn of(outcome: &'a str, passes: &StateDict, before: &StateDict, after: &StateDict) -> Option<Self> {
        let name = outcome.strip_prefix("gradient of ")?;
        let wide =
            |values: Option<&[f32]>| -> Vec<f64> { values.unwrap().iter().map(|x| f64::from(*x)).collect() };
        let sampled = |values: &StateDict| {
            let values = wide(values.values(name));
            let step = if values.len() > 1 << 20 { 97 } else { 1 };
            values.into_iter().step_by(step).collect()
        };
        Some(Self {
            name,
            before: sampled(before),
            after: sampled(after),
            gradient: wide(passes.values(outcome)),
            stepped: wide(passes.values(&format!("stepped {name}"))),
        })
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Holds every value to within 1e-4 of the largest.
#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], architecture: Architecture, what: &str) {
    assert_within(found, expected, 0.0, architecture, what);
}

/// The same where numbers of less than `size` have no digits of their own.
fn assert_within(found: &[f32], expected: &[f32], size: f32, architecture: Architecture, what: &str) {
    assert_eq!(found.len(), expected.len(), "{architecture}: {what}");
    let scale = expected.iter().fold(size, |most, value| most.max(value.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-4 * scale, "{architecture}: {what} off by {worst} where the largest is {scale}");
}
