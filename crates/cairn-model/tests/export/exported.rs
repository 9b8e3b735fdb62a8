//! Exported models give what PyTorch gives for the input that cairn makes of the photo, wherever they run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_model::export::{Exportable, PhotoElement, TensorRef, WeightFormat, to_onnx, to_torchscript};
use cairn_nets::graph::Graph;
use cairn_nets::weights::{RawTensor, read_pth};
use cairn_photo::{Framing, Normalisation, Photo, Preprocess};
use serde_json::json;

use crate::networks::{classic, mobile, norms};

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
        let tensors = read_pth(folder.path().join(format!("{}.pth", case.network))).unwrap();
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
        temperature: 1.0,
        class_names: CLASS_NAMES.to_vec(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model_scripted.pt");
    std::fs::write(&path, to_torchscript(&model, WeightFormat::F32).unwrap()).unwrap();
    let found = read_pth(&path).unwrap();
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
            temperature: TEMPERATURE,
            class_names: CLASS_NAMES.to_vec(),
        };
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("model.onnx", &to_onnx(&model, self.weights, self.element).unwrap());
        write("model_scripted.pt", &to_torchscript(&model, self.weights).unwrap());
        let mut sizes = serde_json::Map::new();
        for (name, photo) in photos() {
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

/// Photos of sizes that leave odd margins, must be enlarged, or are as they should be; and some real ones.
fn photos() -> Vec<(String, Photo)> {
    let sizes = [(64, 48), (101, 67), (67, 103), (41, 41), (30, 23), (36, 36), (400, 90)];
    let drawn = sizes.map(|(width, height)| (format!("drawn-{width}x{height}"), drawn(width, height)));
    drawn.into_iter().chain(real_photos()).collect()
}

/// Waves and speckles: every level occurs, and neighbours differ.
fn drawn(width: u32, height: u32) -> Photo {
    let level = |x: u32, y: u32, channel: u32| {
        let wave = (f64::from(x) / 7.0 + f64::from(channel)).sin() * (f64::from(y) / 5.0).cos();
        let speckle = (x * 2_654_435 + y * 40_503 + channel * 977) % 61;
        (120.0 + wave * 80.0) as u8 + speckle as u8 - 30
    };
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| level(x, y, c))));
    Photo::from_pixels(width, height, pixels.collect()).unwrap()
}

/// A few photos of `CAIRN_DATA`, else of `../shared/data`, the first of some classes.
fn real_photos() -> Vec<(String, Photo)> {
    let data = env::var_os("CAIRN_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let Ok(entries) = std::fs::read_dir(data.join("photos")) else {
        println!(
            "without real photos: no photos/ in {}; name a folder that has it in CAIRN_DATA",
            data.display()
        );
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let small = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() < 300_000);
    let jpegs = paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "jpg")).filter(small);
    let opened = jpegs
        .take(3)
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), Photo::open(path).unwrap()));
    opened.collect()
}

/// `[3, height, width]` of a photo's `[height, width, 3]`.
fn planes(photo: &Photo) -> Vec<u8> {
    (0..3).flat_map(|channel| photo.pixels().iter().skip(channel).step_by(3).copied()).collect()
}

fn run(python: &str, command: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/export_reference.py");
    let output = Command::new(python).arg(script).arg(command).arg(folder).output().unwrap();
    let (printed, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    assert!(output.status.success(), "{failed}");
}

/// The Python of `CAIRN_PYTHON`, which must have torch, or `python3` if it has.
fn python_with_torch() -> Option<String> {
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
