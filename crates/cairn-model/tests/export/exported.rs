//! Exported models give what PyTorch gives for the input that cairn makes of the photo, wherever they run.

use std::path::Path;

use cairn_model::export::{Exportable, PhotoElement, TensorRef, WeightFormat, to_onnx, to_torchscript};
use cairn_nets::graph::Graph;
use cairn_nets::weights::{RawTensor, read_pth};
use cairn_photo::{Framing, Normalisation, Preprocess, TestViews};
use serde_json::json;

use crate::networks::{classic, mobile, norms};
use crate::photos::{drawn_and_real_photos, planes};
use crate::python::{python_with_torch, run};

/// A model to be exported, and how near its probabilities must come.
struct Case {
    name: &'static str,
    network: &'static str,
    graph: fn([usize; 3]) -> Graph,
    framing: Framing,
    weights: WeightFormat,
    element: PhotoElement,
    tolerance: f32,
}

const CLASS_NAMES: [&str; 5] = ["Eiffel Tower", "Château d'If", "\"Quoted\"", "東京タワー", "back\\slash"];
const TEMPERATURE: f32 = 1.3;
const SHORT_SIDE: Framing = Framing::ShortSideCrop { short_side: 41, crop: 36 };
const SQUASH: Framing = Framing::Squash { width: 40, height: 33 };

/// Every operation, framing, element of photos and format of weights at least once.
const CASES: [Case; 5] = [
    Case {
        name: "classic",
        network: "classic",
        graph: classic,
        framing: SHORT_SIDE,
        weights: WeightFormat::F32,
        element: PhotoElement::Uint8,
        tolerance: 1e-5,
    },
    Case {
        name: "mobile",
        network: "mobile",
        graph: mobile,
        framing: SQUASH,
        weights: WeightFormat::F32,
        element: PhotoElement::Float,
        tolerance: 1e-5,
    },
    Case {
        name: "norms",
        network: "norms",
        graph: norms,
        framing: SHORT_SIDE,
        weights: WeightFormat::F32,
        element: PhotoElement::Uint8,
        tolerance: 1e-5,
    },
    Case {
        name: "half",
        network: "mobile",
        graph: mobile,
        framing: SHORT_SIDE,
        weights: WeightFormat::F16,
        element: PhotoElement::Uint8,
        tolerance: 2e-3,
    },
    Case {
        name: "int8",
        network: "norms",
        graph: norms,
        framing: SQUASH,
        weights: WeightFormat::Int8,
        element: PhotoElement::Float,
        tolerance: 3e-2,
    },
];

#[test]
fn exported_models_give_what_pytorch_gives_in_torchscript_onnx_runtime_and_openvino() {
    let Some(python) = python_with_torch() else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, "weights", folder.path());
    for case in &CASES {
        let tensors = read_pth(folder.path().join(format!("{}.pth", case.network)), None).unwrap().tensors;
        case.write(&tensors, &folder.path().join(case.name));
    }
    run(&python, "check", folder.path());
}

/// The archive is one of PyTorch: what reads those finds every tensor as it was, under its own name.
#[test]
fn an_exported_torchscript_archive_is_read_back_as_the_weights_that_it_was_made_of() {
    let graph = classic([3, 36, 36]);
    let shapes: [(&str, &[usize]); 9] = [
        ("conv.weight", &[8, 3, 5, 3]),
        ("conv.bias", &[8]),
        ("squeeze.weight", &[4, 8, 1, 1]),
        ("squeeze.bias", &[4]),
        ("left.weight", &[6, 4, 1, 1]),
        ("left.bias", &[6]),
        ("right.weight", &[6, 4, 3, 3]),
        ("fc1.weight", &[20, 144]),
        ("fc1.bias", &[20]),
    ];
    let shapes = shapes.into_iter().chain([("fc2.weight", [5, 20].as_slice()), ("fc2.bias", &[5])]);
    let weights: Vec<(&str, &[usize], Vec<f32>)> = shapes
        .map(|(name, shape)| {
            (name, shape, (0..shape.iter().product()).map(|i: usize| i as f32 / 7.0).collect())
        })
        .collect();
    let tensors = weights.iter().map(|(name, shape, values)| (*name, TensorRef { shape, values }));
    let model = Exportable {
        graph: &graph,
        tensors: tensors.collect(),
        preprocess: &Preprocess { framing: SHORT_SIDE, normalisation: Normalisation::IMAGENET },
        views: TestViews::One,
        temperature: 1.0,
        class_names: CLASS_NAMES.to_vec(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model_scripted.pt");
    std::fs::write(&path, to_torchscript(&model, WeightFormat::F32).unwrap()).unwrap();
    let found = read_pth(&path, None).unwrap().tensors;
    let found: Vec<(&str, &[usize], Vec<f32>)> =
        found.iter().map(|t| (t.name.as_str(), t.shape.as_slice(), t.to_f32())).collect();
    assert_eq!(found, weights);
}

impl Case {
    /// Writes the exported models and what they are compared with into a folder.
    fn write(&self, tensors: &[RawTensor], folder: &Path) {
        std::fs::create_dir(folder).unwrap();
        let values: Vec<Vec<f32>> = tensors.iter().map(RawTensor::to_f32).collect();
        let tensors = tensors.iter().zip(&values);
        let tensors = tensors.map(|(t, values)| (t.name.as_str(), TensorRef { shape: &t.shape, values }));
        let normalisation = Normalisation { mean: [0.4, 0.5, 0.45], std: [0.2, 0.3, 0.25] };
        let preprocess = Preprocess { framing: self.framing.clone(), normalisation };
        let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
        let graph = (self.graph)([3, height, width]);
        let model = Exportable {
            graph: &graph,
            tensors: tensors.collect(),
            preprocess: &preprocess,
            views: TestViews::One,
            temperature: TEMPERATURE,
            class_names: CLASS_NAMES.to_vec(),
        };
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("model.onnx", &to_onnx(&model, self.weights, self.element).unwrap());
        write("model_scripted.pt", &to_torchscript(&model, self.weights).unwrap());
        let mut sizes = serde_json::Map::new();
        for (name, photo) in drawn_and_real_photos() {
            sizes.insert(name.clone(), json!([photo.height(), photo.width()]));
            write(&format!("{name}.photo"), &planes(&photo));
            let mut input = vec![0.0; 3 * height * width];
            preprocess.normalisation.write_chw(&preprocess.frame(&photo), &mut input);
            let input: Vec<u8> = input.iter().flat_map(|value: &f32| value.to_le_bytes()).collect();
            write(&format!("{name}.input"), &input);
        }
        let element = if self.element == PhotoElement::Uint8 { "uint8" } else { "float" };
        let facts = json!({
            "network": self.network, "class_names": CLASS_NAMES, "temperature": TEMPERATURE, "element": element,
            "tolerance": self.tolerance, "side": [height, width], "photos": sizes, "preprocess": preprocess,
        });
        write("case.json", facts.to_string().as_bytes());
    }
}
