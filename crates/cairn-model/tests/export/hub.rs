//! The folder for model hubs.

use std::collections::HashMap;

use cairn_model::Model;
use cairn_model::export::{ExportError, HubFolder, TestFigures, WeightFormat, write_files};
use cairn_nets::Architecture;
use cairn_photo::TestViews;
use serde_json::{Value, json};

use crate::models::model;
use crate::photos::drawn;
use crate::python::{python_with_torch, run};

fn figures() -> TestFigures {
    TestFigures {
        data: "landmarks".to_owned(),
        photos: 640,
        accuracy: 0.8125,
        top3: 0.925,
        macro_f1: 0.8,
        loss: 0.75,
        ece: 0.031,
    }
}

#[test]
fn the_weights_of_a_hub_folder_are_a_model_that_cairn_opens() {
    let model = model(Architecture::ResNet10Small);
    let photo = drawn(90, 70);
    let mut by_views = model.clone();
    by_views.set_views(TestViews::SixCrop);
    for (model, format) in
        [(&model, WeightFormat::F32), (&model, WeightFormat::F16), (&by_views, WeightFormat::F32)]
    {
        let folder = tempfile::tempdir().unwrap();
        let hub = HubFolder::new(model, format, None).unwrap();
        write_files(&hub.into_files(folder.path()), false).unwrap();
        let opened = Model::open(folder.path().join("model.safetensors")).unwrap();
        assert_eq!(opened.info(), model.info());
        let opened = opened.with_precision(model.precision());
        let expected = model.as_exported(format).unwrap();
        assert_eq!(
            opened.probabilities(&photo).unwrap(),
            expected.probabilities(&photo).unwrap(),
            "{format:?}"
        );
    }
}

#[test]
fn half_the_bits_are_half_the_file_and_eight_are_refused() {
    let model = model(Architecture::ResNet10Small);
    let len = |format| HubFolder::new(&model, format, None).map(|hub| hub.weights.len());
    let (whole, half) = (len(WeightFormat::F32).unwrap(), len(WeightFormat::F16).unwrap());
    assert!((0.5..0.52).contains(&(half as f64 / whole as f64)), "{half} of {whole} bytes");
    assert!(matches!(len(WeightFormat::Int8), Err(ExportError::Int8Safetensors)));
}

#[test]
fn labels_are_the_names_that_predictions_have_in_every_format() {
    let model = Model::open(concat!(env!("CARGO_MANIFEST_DIR"), "/models/landmarks.safetensors")).unwrap();
    let prediction = model.predict(drawn(64, 48), model.classes().len()).unwrap();
    let predicted: HashMap<&str, &str> = prediction
        .landmarks
        .iter()
        .map(|landmark| (landmark.class.as_str(), landmark.name.as_str()))
        .collect();
    let expected: Vec<&str> =
        model.classes().iter().map(|(_, class)| predicted[class.folder.as_str()]).collect();
    assert!(expected.contains(&"Pyramids of Giza"), "not the folder's Giza Pyramids: {expected:?}");

    let parts = model.parts();
    assert_eq!(parts.exportable().class_names, expected);
    let hub = HubFolder::new(&model, WeightFormat::F32, None).unwrap();
    let config: Value = serde_json::from_str(&hub.config).unwrap();
    assert_eq!(config["label_names"], json!(expected));
    assert_eq!(config["id2label"]["0"], json!(expected[0]));
    assert!(hub.card.contains("Pyramids of Giza") && !hub.card.contains("Giza Pyramids"));
}

#[test]
fn the_configuration_names_network_labels_and_preprocessing() {
    let model = model(Architecture::ResNet10Small);
    let hub = HubFolder::new(&model, WeightFormat::F32, None).unwrap();
    let config: Value = serde_json::from_str(&hub.config).unwrap();
    assert_eq!(config["architecture"], "resnet10-small");
    assert_eq!(config["num_classes"], 5);
    assert_eq!(config["label_names"][1], "Château d'If");
    assert_eq!(config["id2label"]["3"], "東京タワー");
    assert_eq!(config["pretrained_cfg"]["input_size"], json!([3, 64, 64]));
    assert_eq!(config["pretrained_cfg"]["crop_pct"], 64.0 / 73.0);
    assert_eq!(config["cairn"]["preprocess"], json!(model.info().preprocess));
    assert_eq!(config["cairn"]["views"], "one");
}

#[test]
fn the_card_has_the_test_figures_where_there_are_any_and_says_so_where_not() {
    let model = model(Architecture::ResNet10Small);
    let card =
        |test: Option<TestFigures>| HubFolder::new(&model, WeightFormat::F32, test.as_ref()).unwrap().card;
    let tested = card(Some(figures()));
    for figure in ["640 test photos of `landmarks`", "81.2 %", "92.5 %", "80.0 %", "3.1 %", "0.750 nats"] {
        assert!(tested.contains(figure), "no {figure} in\n{tested}");
    }
    assert!(tested.contains("3. 東京タワー") && tested.contains("# a recipe"), "{tested}");
    let untested = card(None);
    assert!(untested.contains("No test figures") && !untested.contains("model-index"), "{untested}");
}

/// timm builds the network, the labels and the preprocessing; huggingface_hub finds the figures in the card.
#[test]
fn the_libraries_of_model_hubs_read_the_folder() {
    let Some(python) = python_with_torch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let hub = HubFolder::new(&model(Architecture::ResNet18), WeightFormat::F32, Some(&figures())).unwrap();
    write_files(&hub.into_files(folder.path()), false).unwrap();
    run(&python, "hub", folder.path());
}

#[test]
fn names_from_outside_are_text_in_card_and_configuration() {
    let evil = "<script>alert(1)</script>\u{1b}[31m\n---\n# [x](http://evil.org)|`";
    let mut info = model(Architecture::ResNet10Small).info().clone();
    let names = info.classes.iter().skip(1).map(|(_, class)| class.folder.clone());
    // A bundle refuses names with control characters, so that no class has them.
    let class = evil.replace(|c: char| c.is_control(), " ");
    info.classes = cairn_dataset::ClassList::from_folders(names.chain([class.clone()]));
    info.provenance.recipe = format!("# a recipe\n```\n{evil}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    cairn_model::write_bundle(&path, model(Architecture::ResNet10Small).network(), &info).unwrap();
    let model = Model::open(path).unwrap();
    let figures = TestFigures { data: evil.to_owned(), ..figures() };
    let hub = HubFolder::new(&model, WeightFormat::F32, Some(&figures)).unwrap();
    assert!(!hub.card.contains('\u{1b}') && !hub.config.contains('\u{1b}'));
    let (_, card) = hub.card.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    let (text, recipe) = card.split_once("## Recipe").unwrap();
    // What is between backticks is shown as it is.
    let text = text.split("``").step_by(2).collect::<String>().replace("\\<", "").replace("\\[", "");
    assert!(!text.contains("<script") && !text.contains("[x]") && !text.contains("\n---"), "{text}");
    assert!(recipe.trim().starts_with("````toml\n") && recipe.trim().ends_with("\n````"), "{recipe}");
    let metadata = hub.card.lines().find_map(|line| line.strip_prefix("model-index: ")).unwrap();
    assert!(serde_json::from_str::<Value>(metadata).unwrap()[0]["results"][0]["dataset"].is_object());
    assert!(
        serde_json::from_str::<Value>(&hub.config).unwrap()["label_names"]
            .as_array()
            .unwrap()
            .contains(&json!(cairn_dataset::Class::from_folder(&class).name))
    );
}
