//! Every network goes through every format, and says there what it says in cairn.

use std::path::Path;

use cairn_model::Model;
use cairn_model::export::{HubFolder, PhotoElement, WeightFormat, to_onnx, to_torchscript, write_files};
use cairn_nets::{Architecture, Pooling};
use cairn_photo::{Photo, TestViews};
use serde_json::json;

use crate::models::{model, pooled};
use crate::photos::{drawn, planes, real_photos};
use crate::python::{python_with_torch, run};

#[test]
fn every_network_says_in_torchscript_onnx_runtime_openvino_and_torchvision_what_it_says_in_cairn() {
    let Some(python) = python_with_torch() else { return };
    for architecture in Architecture::ALL {
        let folder = tempfile::tempdir().unwrap();
        let model = model(architecture);
        export(&model, folder.path());
        write_photos(&model, folder.path());
        run(&python, "networks", folder.path());
    }
}

#[test]
fn networks_with_gem_say_in_every_format_what_they_say_in_cairn() {
    let Some(python) = python_with_torch() else { return };
    for architecture in
        [Architecture::ResNet18, Architecture::MobileNetV3Large, Architecture::EfficientNetLite0]
    {
        let folder = tempfile::tempdir().unwrap();
        let model = pooled(architecture, Pooling::Gem);
        export(&model, folder.path());
        write_photos(&model, folder.path());
        run(&python, "networks", folder.path());
        let card = std::fs::read_to_string(folder.path().join("hub/README.md")).unwrap();
        assert!(card.contains("generalised mean (GeM)"), "{card}");
    }
}

#[test]
fn views_of_every_kind_say_in_torchscript_and_onnx_runtime_what_a_prediction_says() {
    use TestViews::*;
    let Some(python) = python_with_torch() else { return };
    for views in [Flip, ThreeCrop, SixCrop, FiveCrop, TenCrop] {
        let folder = tempfile::tempdir().unwrap();
        let mut model = model(Architecture::ResNet10Small);
        model.set_views(views);
        export(&model, folder.path());
        write_photos(&model, folder.path());
        run(&python, "networks", folder.path());
    }
}

/// Writes the model in all formats, and what is to be known of it.
fn export(model: &Model, folder: &Path) {
    let parts = model.parts();
    let exportable = parts.exportable();
    let onnx = to_onnx(&exportable, WeightFormat::F32, PhotoElement::Uint8).unwrap();
    std::fs::write(folder.join("model.onnx"), onnx).unwrap();
    let torchscript = to_torchscript(&exportable, WeightFormat::F32).unwrap();
    std::fs::write(folder.join("model_scripted.pt"), torchscript).unwrap();
    let hub = HubFolder::new(model, WeightFormat::F32, None).unwrap();
    write_files(&hub.into_files(&folder.join("hub")), false).unwrap();
    let info = model.info();
    let names: Vec<&str> = info.classes.iter().map(|(_, class)| model.landmark_name(class)).collect();
    let facts = json!({ "network": info.network.architecture, "pooling": info.network.pooling, "class_names": names, "temperature": info.temperature,
        "preprocess": info.preprocess, "views": info.views,
    });
    std::fs::write(folder.join("facts.json"), facts.to_string()).unwrap();
}

/// Writes photos, each as a batch of three of one size, and the probabilities that cairn gives them.
fn write_photos(model: &Model, folder: &Path) {
    let photos = real_photos().into_iter().chain([("drawn".to_owned(), drawn(101, 67))]);
    let mut facts = serde_json::Map::new();
    for (name, photo) in photos {
        let inverted = photo.pixels().iter().map(|level| 255 - level).collect();
        let inverted = Photo::from_pixels(photo.width(), photo.height(), inverted).unwrap();
        let batch = [&photo, &photo.flipped_horizontally(), &inverted];
        let levels: Vec<u8> = batch.iter().flat_map(|photo| planes(photo)).collect();
        std::fs::write(folder.join(format!("{name}.photos")), levels).unwrap();
        let fact = json!({ "size": [photo.height(), photo.width()], "expected": batch.map(|photo| model.probabilities(photo).unwrap()) });
        facts.insert(name, fact);
    }
    std::fs::write(folder.join("photos.json"), json!(facts).to_string()).unwrap();
}
