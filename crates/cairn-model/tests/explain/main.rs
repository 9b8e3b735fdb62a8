//! Class activation maps agree with pytorch-grad-cam: `grad_cam_reference.py` made what they are held to.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use burn::tensor::Device;
use cairn_dataset::{ClassId, ClassList};
use cairn_model::explain::{CamMethod, ExplainError, Explainer};
use cairn_model::{BundleInfo, Model, Provenance, write_bundle};
use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, StateDict};
use cairn_photo::{Framing, Normalisation, Photo, Preprocess, TestViews};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use tempfile::TempDir;

const CLASSES: [&str; 5] = ["0.A", "1.B", "2.C", "3.D", "4.E"];
const SIDE: usize = 128;
const STEP: usize = 8;

#[derive(Deserialize)]
struct Case {
    architecture: Architecture,
    /// torchvision's module, whose last node is meant.
    layer: String,
    method: String,
    class: usize,
    values: Vec<f32>,
}

#[test]
fn maps_are_those_of_pytorch_grad_cam() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("grad_cam_reference.json")).unwrap();
    assert_eq!(cases.len(), 18);
    let photo = photo();
    for architecture in [Architecture::ResNet18, Architecture::MobileNetV2] {
        let fixture = Fixture::new(architecture);
        for case in cases.iter().filter(|case| case.architecture == architecture) {
            let method: CamMethod = case.method.parse().unwrap();
            let explainer = Explainer::new(&fixture.model, Some(&case.layer), method).unwrap();
            let map = explainer.explain(&photo, &[ClassId::new(case.class)]).unwrap().remove(0);
            let map = map.resized(SIDE, SIDE);
            let sampled =
                (0..SIDE).step_by(STEP).flat_map(|y| (0..SIDE).step_by(STEP).map(move |x| y * SIDE + x));
            let found: Vec<f32> = sampled.map(|place| map.values()[place]).collect();
            let farthest = found.iter().zip(&case.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let Case { layer, class, .. } = case;
            assert!(farthest < 1e-3, "{architecture} {layer} {method} class {class}: {farthest} off");
        }
    }
}

#[test]
fn every_network_can_be_explained_by_its_usual_layer() {
    for architecture in Architecture::ALL {
        let fixture = Fixture::new(architecture);
        let explainer = Explainer::new(&fixture.model, None, CamMethod::GradCam).unwrap();
        let maps = explainer.explain(&photo(), &[0, 1, 2].map(ClassId::new)).unwrap();
        assert_eq!(maps.len(), 3, "{architecture}");
        let of_all = maps.iter().flat_map(|map| map.values());
        let greatest = of_all.copied().fold(0.0, f32::max);
        assert!((greatest - 1.0).abs() < 1e-3, "{architecture} at {}: {greatest}", explainer.layer());
        assert!(maps.iter().all(|map| map.values().iter().all(|value| (0.0..=1.0).contains(value))));
        assert!(maps[0].width() > 1 && maps[0].height() > 1, "{architecture} at {}", explainer.layer());
    }
}

#[test]
fn the_usual_layers_are_those_that_pytorch_grad_cam_advises() {
    for (architecture, module) in
        [(Architecture::ResNet18, "layer4.1"), (Architecture::MobileNetV2, "features.18")]
    {
        let fixture = Fixture::new(architecture);
        let usual = Explainer::new(&fixture.model, None, CamMethod::GradCam).unwrap();
        let named = Explainer::new(&fixture.model, Some(module), CamMethod::GradCam).unwrap();
        assert_eq!(usual.layer(), named.layer());
    }
}

#[test]
fn a_layer_that_is_not_there_is_answered_with_those_that_are() {
    let fixture = Fixture::new(Architecture::ResNet18);
    // The last has vectors, not maps.
    for name in ["layer9", "layer", "", "fc"] {
        let error = Explainer::new(&fixture.model, Some(name), CamMethod::GradCam).unwrap_err();
        let ExplainError::Layer { layers, .. } = &error else { panic!("{error:?}") };
        assert!(layers.iter().any(|layer| layer.starts_with("layer4.1.bn2")), "{layers:?}");
        assert!(!layers.iter().any(|layer| layer.starts_with("fc") || layer == "input"), "{layers:?}");
    }
}

/// A model with weights drawn by formula.
struct Fixture {
    model: Model,
    _folder: TempDir,
}

impl Fixture {
    fn new(architecture: Architecture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("model.safetensors");
        let spec = NetworkSpec {
            architecture,
            classes: CLASSES.len(),
            side: SIDE,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        let network = spec.build(Init::Default, 0, &Device::flex()).unwrap();
        let weights = drawn_weights(&network.state_dict());
        let info = BundleInfo {
            network: spec,
            classes: ClassList::from_folders(CLASSES),
            preprocess: Preprocess {
                framing: Framing::Squash { width: SIDE as u32, height: SIDE as u32 },
                normalisation: Normalisation::IMAGENET,
            },
            temperature: 1.0,
            conformal: None,
            views: TestViews::One,
            rejection: None,
            learning: None,
            backbone: None,
            provenance: Provenance {
                cairn: String::new(),
                recipe: String::new(),
                data_fingerprint: String::new(),
                epoch: 1,
                valid_loss: 1.0,
                valid_accuracy: 0.5,
            },
        };
        write_bundle(&path, &network.with_state_dict(weights).unwrap(), &info).unwrap();
        Self { model: Model::open(path).unwrap(), _folder: folder }
    }
}

/// The state dict with other values, by the reference's formula.
fn drawn_weights(weights: &StateDict) -> StateDict {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = weights
        .shapes()
        .map(|(name, shape)| {
            let bytes = drawn(name, shape).iter().flat_map(|value| value.to_le_bytes()).collect();
            (name.to_owned(), shape.to_vec(), bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    StateDict::from_safetensors(&safetensors::serialize(views, None).unwrap(), "").unwrap().0
}

fn drawn(name: &str, shape: &[usize]) -> Vec<f32> {
    let values = uniform(name, shape.iter().product());
    let scaled = |u: f64| match shape {
        [_, inputs @ ..] if !inputs.is_empty() => u * (6.0 / inputs.iter().product::<usize>() as f64).sqrt(),
        _ if name.ends_with("running_var") => 1.0 + u / 2.0,
        _ if name.ends_with("weight") => 1.0 + u / 4.0,
        _ => u / 10.0,
    };
    values.map(|u| scaled(u) as f32).collect()
}

/// Numbers in [-1, 1): SplitMix64, begun by FNV-1a of the name.
fn uniform(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    (1..=count as u64).map(move |place| {
        let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / 8_388_608.0 - 1.0
    })
}

fn photo() -> Photo {
    let mut photo = Photo::filled(SIDE as u32, SIDE as u32, [0; 3]);
    for (place, pixel) in photo.pixels_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = (place % SIDE, place / SIDE);
        for (channel, level) in pixel.iter_mut().enumerate() {
            *level = (((x * x + 3 * y * y + x * y) / 64 + 50 * channel) % 256) as u8;
        }
    }
    photo
}
