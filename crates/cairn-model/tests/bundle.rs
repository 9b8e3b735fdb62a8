//! A model goes into one file and comes out the same, and a file that is no model says what it is.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_model::export::{WeightFormat, to_bundle};
use cairn_model::{
    BundleInfo, Calibration, EmbeddingBank, Model, ModelError, ModelOptions, OodScore, PhotoSource,
    Provenance, Rejection, Threshold, Whitening, write_bundle,
};
use cairn_nets::{Architecture, Init, Network, NetworkSpec, Pooling, Precision};
use cairn_photo::{Framing, Normalisation, Photo, PhotoError, Preprocess, TestViews};
use cairn_synthetic::{Kind, draw};
use serde_json::{Value, json};
use tempfile::TempDir;

const CLASSES: [&str; 4] = ["00.Pyramid", "01.Dome", "02.Castle", "03.Old_Mill"];
const SIDE: usize = 24;

fn spec() -> NetworkSpec {
    NetworkSpec {
        architecture: Architecture::ThreeConv,
        classes: CLASSES.len(),
        side: SIDE,
        dropout: 0.25,
        pooling: Pooling::Average,
    }
}

fn network() -> Network {
    spec().build(Init::Default, 5, &Device::flex()).unwrap()
}

fn info() -> BundleInfo {
    let framing = Framing::ShortSideCrop { short_side: 30, crop: SIDE as u32 };
    BundleInfo {
        network: spec(),
        classes: ClassList::from_folders(CLASSES),
        preprocess: Preprocess { framing, normalisation: Normalisation::IMAGENET },
        temperature: 1.7,
        conformal: None,
        views: TestViews::One,
        rejection: None,
        learning: None,
        backbone: None,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: "# a recipe".to_owned(),
            data_fingerprint: "0123456789abcdef".to_owned(),
            epoch: 7,
            valid_loss: 0.1 + 0.2, // a figure that does not survive being rounded
            valid_accuracy: 2.0 / 3.0,
        },
    }
}

/// A folder with a bundle in it, a photo, and room for damaged copies of the bundle.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        write_bundle(&fixture.bundle(), &network(), &info()).unwrap();
        draw(Kind::Castle, 3, 64).save_png(fixture.photo()).unwrap();
        fixture
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("best.safetensors")
    }

    fn photo(&self) -> PathBuf {
        self.folder.path().join("castle.png")
    }

    /// The error of opening a file of these bytes, which must begin with the file's path.
    fn error_of(&self, bytes: &[u8]) -> ModelError {
        let path = self.folder.path().join("other.safetensors");
        fs::write(&path, bytes).unwrap();
        error_at(&path)
    }

    /// The error of opening the bundle with `change` made to its description.
    fn error_of_description(&self, change: impl FnOnce(&mut Value)) -> ModelError {
        self.error_of(&self.redescribed(change))
    }

    /// The bundle's bytes with `change` made to its description.
    ///
    /// A safetensors file is a length, a JSON header of that length, and the tensors.
    fn redescribed(&self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let bytes = fs::read(self.bundle()).unwrap();
        let (length, rest) = bytes.split_first_chunk().unwrap();
        let (header, tensors) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let mut header: Value = serde_json::from_slice(header).unwrap();
        let entry = &mut header["__metadata__"]["cairn"];
        let mut description = serde_json::from_str(entry.as_str().unwrap()).unwrap();
        change(&mut description);
        *entry = description.to_string().into();
        let header = header.to_string();
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
    }
}

#[track_caller]
fn error_at(path: &Path) -> ModelError {
    let error = Model::open(path).unwrap_err();
    assert!(error.to_string().starts_with(&path.display().to_string()), "{error} should begin with the path");
    error
}

#[test]
fn a_bundle_gives_the_logits_and_the_description_that_went_into_it() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap();
    assert_eq!(model.info(), &info());
    let pixels: Vec<f32> = (0..3 * 3 * SIDE * SIDE).map(|i| (i as f32 * 0.7).sin()).collect();
    let logits = model.network().logits(&pixels, SIDE, SIDE, Precision::F32);
    assert_eq!(logits.len(), 3);
    assert_eq!(logits, network().logits(&pixels, SIDE, SIDE, Precision::F32));
}

#[test]
fn a_bundle_in_memory_is_the_same_and_its_errors_begin_with_its_name() {
    let fixture = Fixture::new();
    let bytes = fs::read(fixture.bundle()).unwrap();
    let model = Model::from_bytes(&bytes, "the model").unwrap();
    let opened = Model::open(fixture.bundle()).unwrap();
    assert_eq!(model.info(), opened.info());
    assert_eq!(model.network().state_dict(), opened.network().state_dict());
    let error = Model::from_bytes(&bytes[..100], "the model").unwrap_err();
    assert!(error.to_string().starts_with("the model: "), "{error}");
}

/// The model of a fixture, calibrated by likeness and with a learned class.
fn experienced(fixture: &Fixture) -> Model {
    let mut model = Model::open(fixture.bundle()).unwrap().with_precision(Precision::F32);
    let framed = [Kind::Castle, Kind::Dome, Kind::Windmill]
        .map(|kind| model.info().preprocess.frame(&draw(kind, 8, 64)));
    let outputs = model.forward(&framed);
    let bank = EmbeddingBank {
        prototypes: vec![outputs[0].embedding.clone(); CLASSES.len()],
        non_landmarks: vec![outputs[1].embedding.clone()],
        centres: vec![],
        learned: vec![],
        whitening: Whitening::of(&[], &[outputs[0].embedding.clone(), outputs[1].embedding.clone()], 0.3),
    };
    let rejection = Rejection { sure: Some(0.5), ..Rejection::new(OodScore::Similarity, 0.25) };
    model.calibrate(Calibration { rejection, bank, scale: 12.0, offset: -4.0 });
    model.learn("Our windmill", &framed[2..]).unwrap();
    model
}

#[test]
fn a_bundle_in_16_bits_says_the_same_and_keeps_all_that_the_model_knows() {
    let fixture = Fixture::new();
    let model = experienced(&fixture);
    let bytes = to_bundle(&model, WeightFormat::F16).unwrap();
    let whole = to_bundle(&model, WeightFormat::F32).unwrap();
    assert!(bytes.len() * 10 < whole.len() * 6, "{} of {} bytes", bytes.len(), whole.len());
    let halved = Model::from_bytes(&bytes, "half").unwrap().with_precision(Precision::F32);
    assert_eq!(halved.info(), model.info());

    let photo = Photo::open(fixture.photo()).unwrap();
    let [said, expected] = [&halved, &model].map(|model| model.predict(&photo, 5).unwrap());
    assert_eq!(said.landmarks.len(), CLASSES.len() + 1);
    assert!((said.landmark_score - expected.landmark_score).abs() < 1e-2, "{said:?}, not {expected:?}");
    for landmark in &said.landmarks {
        let other = expected.landmarks.iter().find(|other| other.class == landmark.class).unwrap();
        let difference = landmark.probability.value() - other.probability.value();
        assert!(difference.abs() < 1e-2, "{landmark:?}, not {other:?}");
    }
    // In 32 bits nothing is lost at all.
    let whole = Model::from_bytes(&whole, "whole").unwrap();
    assert_eq!(whole.network().state_dict(), model.network().state_dict());
    assert_eq!((whole.info(), whole.bank()), (model.info(), model.bank()));
}

#[test]
fn a_bundle_holds_no_8_bit_weights() {
    let error = to_bundle(&experienced(&Fixture::new()), WeightFormat::Int8).unwrap_err();
    assert!(error.to_string().contains("8-bit"), "{error}");
}

#[test]
fn a_run_folder_means_its_best_model_and_one_without_says_so() {
    let fixture = Fixture::new();
    Model::open(fixture.folder.path()).unwrap();
    fs::remove_file(fixture.bundle()).unwrap();
    let error = error_at(fixture.folder.path());
    assert!(matches!(error, ModelError::NoModelInRun { .. }), "{error:?}");
    let error = error_at(&fixture.bundle());
    assert!(matches!(error, ModelError::NotFound { .. }), "{error:?}");
}

#[test]
fn another_version_of_the_format_is_refused_by_number() {
    let error = Fixture::new().error_of_description(|description| description["format"] = json!(3));
    assert!(matches!(error, ModelError::Version { found: 3, supported: 2, .. }), "{error:?}");
    // Even where nothing else in it is known.
    let error = Fixture::new().error_of_description(|description| *description = json!({ "format": 99 }));
    assert!(matches!(error, ModelError::Version { found: 99, .. }), "{error:?}");
}

#[test]
fn fields_that_a_later_cairn_adds_under_the_same_version_are_no_hindrance() {
    let fixture = Fixture::new();
    let later = fixture.redescribed(|description| description["later"] = json!("yes"));
    fs::write(fixture.bundle(), later).unwrap();
    assert_eq!(Model::open(fixture.bundle()).unwrap().info(), &info());
}

#[test]
fn a_bundle_from_before_calibration_has_temperature_one() {
    let fixture = Fixture::new();
    let earlier = fixture.redescribed(|description| {
        description.as_object_mut().unwrap().remove("temperature").unwrap();
    });
    fs::write(fixture.bundle(), earlier).unwrap();
    let model = Model::open(fixture.bundle()).unwrap();
    assert_eq!(model.info(), &BundleInfo { temperature: 1.0, ..info() });
}

/// The error of opening the bundle with the value at this JSON pointer replaced.
fn fault(pointer: &str, value: Value) -> ModelError {
    Fixture::new().error_of_description(|description| match description.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => description[&pointer[1..]] = value,
    })
}

#[test]
fn every_value_of_a_description_outside_of_its_limits_is_refused_by_its_name() {
    let framing = "/preprocess/framing/short_side_crop";
    let normalisation = "/preprocess/normalisation";
    let long = "n".repeat(600);
    let cases = [
        (format!("{framing}/short_side"), json!(0)),
        (format!("{framing}/short_side"), json!(65_535)),
        // Smaller than the crop.
        (format!("{framing}/short_side"), json!(23)),
        (format!("{framing}/crop"), json!(0)),
        (format!("{framing}/crop"), json!(1_u32 << 31)),
        // Not what the network was built for.
        (format!("{framing}/crop"), json!(23)),
        ("/preprocess/framing".to_owned(), json!({ "squash": { "width": 24, "height": 0 } })),
        ("/preprocess/framing".to_owned(), json!({ "squash": { "width": 4096, "height": 24 } })),
        ("/preprocess/framing".to_owned(), json!({ "squash": { "width": 24, "height": 25 } })),
        (format!("{normalisation}/std/1"), json!(0.0)),
        (format!("{normalisation}/std/1"), json!(-1.0)),
        (format!("{normalisation}/std/0"), json!(1e-30)),
        (format!("{normalisation}/std/2"), json!(1e38)),
        (format!("{normalisation}/mean/0"), json!(1e38)),
        ("/temperature".to_owned(), json!(0.0)),
        ("/temperature".to_owned(), json!(-1.0)),
        ("/temperature".to_owned(), json!(1e-300)),
        ("/rejection".to_owned(), json!({ "score": "confidence", "threshold": 1e300 })),
        ("/rejection".to_owned(), json!({ "score": "confidence", "threshold": 0.5, "sure": 1e300 })),
        ("/few_shot".to_owned(), json!({ "scale": 1e300, "offset": 0.0, "classes": [] })),
        ("/few_shot".to_owned(), json!({ "scale": 1.0, "offset": -1e300, "classes": [] })),
        ("/classes/1/name".to_owned(), json!("")),
        ("/classes/1/folder".to_owned(), json!(" ")),
        ("/classes/1/folder".to_owned(), json!("00.Pyramid")),
        ("/classes/1/name".to_owned(), json!("\u{1b}[2J")),
        ("/classes/1/name".to_owned(), json!("two\nlines")),
        ("/classes/1/name".to_owned(), json!("\u{202e}emoD")),
        ("/classes/1/folder".to_owned(), json!(long)),
        ("/provenance/cairn".to_owned(), json!(long)),
        ("/provenance/data_fingerprint".to_owned(), json!("\r")),
        ("/provenance/recipe".to_owned(), json!("r".repeat((1 << 20) + 1))),
        ("/provenance/valid_accuracy".to_owned(), json!(1e300)),
        ("/provenance/valid_loss".to_owned(), json!(-1.0)),
    ];
    for (pointer, value) in cases {
        let error = fault(&pointer, value.clone());
        let ModelError::Info { problem, .. } = &error else { panic!("{pointer}: {error:?}") };
        let first = pointer.split('/').nth(1).unwrap();
        let message = error.to_string();
        assert!(problem.field.starts_with(first), "{pointer}: {message}");
        assert!(message.len() < 300 && message.contains("expected"), "{message}");
        assert!(!message.contains(['\u{1b}', '\u{202e}', '\n']), "{message:?}");
    }
}

#[test]
fn views_that_need_something_to_crop_do_not_go_with_a_squashed_photo() {
    let error = Fixture::new().error_of_description(|description| {
        description["preprocess"]["framing"] = json!({ "squash": { "width": 24, "height": 24 } });
        description["views"] = json!("ten-crop");
    });
    assert!(matches!(error, ModelError::Info { .. }) && error.to_string().contains("views"), "{error}");
}

#[test]
fn a_network_spec_that_cannot_be_built_is_refused() {
    for (pointer, value) in [
        ("/network/side", json!(0)),
        ("/network/side", json!(1_u64 << 40)),
        ("/network/dropout", json!(1.0)),
        ("/network/dropout", json!(-0.5)),
    ] {
        let error = fault(pointer, value);
        assert!(matches!(error, ModelError::Network { .. }), "{pointer}: {error:?}");
    }
    let error = fault("/network/classes", json!(1_u64 << 40));
    assert!(matches!(error, ModelError::Classes { .. }), "{error:?}");
}

#[test]
fn a_description_that_would_not_be_opened_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut wrong = info();
    wrong.preprocess.normalisation.std[1] = 0.0;
    let error = write_bundle(&path, &network(), &wrong).unwrap_err();
    assert!(matches!(error, ModelError::Info { .. }), "{error:?}");
    assert!(!path.exists());
}

#[test]
fn weights_that_changed_after_they_were_written_are_refused() {
    let fixture = Fixture::new();
    let whole = fs::read(fixture.bundle()).unwrap();
    for place in [whole.len() - 4, whole.len() - 1000, whole.len() / 2] {
        let mut changed = whole.clone();
        // The lowest bit of a number, which stays one.
        changed[place & !3] ^= 1;
        let error = fixture.error_of(&changed);
        assert!(matches!(error, ModelError::Checksum { .. }), "{error:?}");
        assert!(error.to_string().contains("weights do not match the file"), "{error}");
    }
    // In 16 bits likewise.
    let mut changed = to_bundle(&experienced(&fixture), WeightFormat::F16).unwrap();
    let place = changed.len() - 100;
    changed[place] ^= 1;
    let error = fixture.error_of(&changed);
    assert!(matches!(error, ModelError::Checksum { .. }), "{error:?}");
}

#[test]
fn the_checksum_is_of_the_weights_alone_so_that_other_metadata_and_another_order_keep_it() {
    let fixture = Fixture::new();
    let bytes = fs::read(fixture.bundle()).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata = header.metadata().clone().unwrap();
    metadata.insert("format".to_owned(), "pt".to_owned());
    // By hand, the tensors in reverse order of their names: the crate has an order of its own.
    let mut tensors = file.tensors();
    tensors.sort_by(|(a, _), (b, _)| b.cmp(a));
    let (mut described, mut data) = (json!({ "__metadata__": metadata }), Vec::new());
    for (name, view) in &tensors {
        let start = data.len();
        data.extend_from_slice(view.data());
        described[name] =
            json!({ "dtype": "F32", "shape": view.shape(), "data_offsets": [start, data.len()] });
    }
    let described = described.to_string();
    let rewritten = [&(described.len() as u64).to_le_bytes(), described.as_bytes(), &data].concat();
    assert_ne!(rewritten, bytes);
    let model = Model::from_bytes(&rewritten, "rewritten").unwrap();
    assert_eq!(model.network().state_dict(), network().state_dict());
}

#[test]
fn a_bundle_from_before_checksums_is_opened() {
    let fixture = Fixture::new();
    let earlier = fixture.redescribed(|description| {
        description.as_object_mut().unwrap().remove("weights_blake3").unwrap();
    });
    Model::from_bytes(&earlier, "earlier").unwrap();
}

#[test]
fn weights_that_are_not_finite_are_refused_by_name_with_a_checksum_and_without() {
    let fixture = Fixture::new();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut weights = network().state_dict();
        let (shape, mut values) = weights.take("fc1.bias").unwrap();
        values[1] = value;
        weights.insert("fc1.bias", &shape, values);
        let broken = network().with_state_dict(weights).unwrap();
        write_bundle(&fixture.bundle(), &broken, &info()).unwrap();
        let without = fixture.redescribed(|description| {
            description.as_object_mut().unwrap().remove("weights_blake3").unwrap();
        });
        for bytes in [fs::read(fixture.bundle()).unwrap(), without] {
            let error = fixture.error_of(&bytes);
            assert!(
                matches!(&error, ModelError::NotFinite { tensor, .. } if tensor == "fc1.bias"),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_threshold_asked_for_decides_but_only_one_that_is_set_is_saved() {
    let fixture = Fixture::new();
    let path = fixture.folder.path().join("saved.safetensors");
    let photo = Photo::open(fixture.photo()).unwrap();
    let open = || Model::open(fixture.bundle()).unwrap();
    let decides = |model: &Model| model.predict(&photo, 1).unwrap().is_landmark;
    let saved = |model: &Model| {
        model.save(&path).unwrap();
        Model::open(&path).unwrap().info().clone()
    };

    assert_eq!(decides(&open()), None);
    for (threshold, expected) in [(0.0, true), (1.0, false)] {
        let asked = open()
            .with_options(ModelOptions {
                threshold: Some(Threshold::At(threshold)),
                views: Some(TestViews::Flip),
                precision: Some(Precision::F32),
                ..ModelOptions::default()
            })
            .unwrap();
        assert_eq!(decides(&asked), Some(expected));
        assert_eq!(asked.threshold(), Some(threshold));
        assert_eq!(saved(&asked), info());

        let mut set = open();
        set.set_threshold(threshold);
        set.set_views(TestViews::Flip);
        assert_eq!(decides(&set), Some(expected));
        let rejection = Some(Rejection::new(OodScore::Confidence, threshold));
        assert_eq!(saved(&set), BundleInfo { rejection, views: TestViews::Flip, ..info() });
    }
}

#[test]
fn probabilities_are_by_the_models_views_as_predictions_are() {
    let fixture = Fixture::new();
    let photo = draw(Kind::Castle, 3, 64);
    let model = |views| {
        let options =
            ModelOptions { precision: Some(Precision::F32), views: Some(views), ..ModelOptions::default() };
        Model::open_with(fixture.bundle(), options).unwrap()
    };
    for views in [TestViews::One, TestViews::Flip, TestViews::TenCrop] {
        let model = model(views);
        let probabilities = model.probabilities(&photo).unwrap();
        let prediction = model.predict(&photo, CLASSES.len()).unwrap();
        for landmark in prediction.landmarks {
            let class = model.classes().by_folder(&landmark.class).unwrap();
            assert_eq!(probabilities[class.index()], landmark.probability, "{views:?}");
        }
    }
    let of = |views| model(views).probabilities(&photo).unwrap();
    assert_ne!(of(TestViews::One), of(TestViews::TenCrop));
}

#[test]
fn embeddings_that_the_description_speaks_of_must_be_there() {
    let learned = json!({ "scale": 1.0, "offset": 0.0, "classes": [{ "folder": "Mill", "name": "Mill" }] });
    for (field, value) in
        [("few_shot", learned), ("rejection", json!({ "score": "similarity", "threshold": 0.1 }))]
    {
        let error = Fixture::new().error_of_description(|description| description[field] = value);
        assert!(matches!(error, ModelError::Memory { .. }), "{field}: {error:?}");
    }
}

#[test]
fn probabilities_are_those_of_the_logits_divided_by_the_temperature() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap().with_precision(Precision::F32);
    let photo = Photo::open(fixture.photo()).unwrap();
    let framed = model.info().preprocess.frame(&photo);
    let mut pixels = vec![0.0; 3 * SIDE * SIDE];
    model.info().preprocess.normalisation.write_chw(&framed, &mut pixels);
    let logits = network().logits(&pixels, SIDE, SIDE, Precision::F32).remove(0);
    let weights: Vec<f64> =
        logits.iter().map(|&logit| (f64::from(logit) / info().temperature).exp()).collect();
    let likeliest = weights.iter().copied().fold(0.0, f64::max) / weights.iter().sum::<f64>();
    let found = model.predict(&photo, 1).unwrap().landmarks[0].probability.value();
    assert!((f64::from(found) - likeliest).abs() < 1e-6, "{found} for {likeliest}");
}

#[test]
fn a_class_list_of_another_length_than_the_logits_is_refused() {
    let error = Fixture::new().error_of_description(|description| {
        description["classes"].as_array_mut().unwrap().pop();
    });
    assert!(matches!(error, ModelError::Classes { classes: 3, logits: 4, .. }), "{error:?}");
}

#[test]
fn weights_that_do_not_fit_the_named_network_are_refused_and_named() {
    let error = Fixture::new()
        .error_of_description(|description| description["network"]["architecture"] = json!("six-conv"));
    // Too small for that network, which is found out first.
    assert!(matches!(error, ModelError::Network { .. }), "{error:?}");
    let error = Fixture::new()
        .error_of_description(|description| description["network"]["architecture"] = json!("resnet10-small"));
    assert!(matches!(error, ModelError::Weights { .. }), "{error:?}");
    assert!(error.source().unwrap().to_string().contains("layer1.0.conv1.weight"), "{error:?}");
}

#[test]
fn a_description_that_makes_no_sense_is_refused() {
    for change in [
        |description: &mut Value| description["network"]["architecture"] = json!("seven-conv"),
        |description: &mut Value| description["classes"] = json!("many"),
        |description: &mut Value| description["preprocess"] = json!(null),
    ] {
        let error = Fixture::new().error_of_description(change);
        assert!(matches!(error, ModelError::Description { .. }), "{error:?}");
    }
}

#[test]
fn weights_without_a_description_are_no_model() {
    let fixture = Fixture::new();
    let weights = network().state_dict().to_safetensors("format", "pt".to_owned()).unwrap();
    let error = fixture.error_of(&weights);
    assert!(matches!(error, ModelError::NotABundle { .. }), "{error:?}");
}

#[test]
fn a_file_cut_short_anywhere_is_damaged() {
    let fixture = Fixture::new();
    let whole = fs::read(fixture.bundle()).unwrap();
    for kept in [0, 1, 7, 8, 9, 500, whole.len() / 2, whole.len() - 1] {
        let error = fixture.error_of(&whole[..kept]);
        assert!(matches!(error, ModelError::Damaged { .. }), "{kept} bytes kept: {error:?}");
    }
    let error = fixture.error_of(b"GIF89a, and nothing of a model");
    assert!(matches!(error, ModelError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_bundle_that_cannot_be_written_says_where() {
    let fixture = Fixture::new();
    // Below a file there can be no folder, whoever one is: permissions would not stop root.
    let path = fixture.photo().join("best.safetensors");
    let error = write_bundle(&path, &network(), &info()).unwrap_err();
    assert!(matches!(error, ModelError::Write { .. }), "{error:?}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[test]
fn a_photo_gets_the_same_answer_alone_among_others_and_by_path() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap().with_precision(Precision::F32);
    let castle = Photo::open(fixture.photo()).unwrap();
    let others = [draw(Kind::Dome, 1, 50), draw(Kind::Pyramid, 2, 33)];
    let by_path = model.predict(fixture.photo(), 4).unwrap();
    let alone = model.predict(&castle, 4).unwrap();
    let among = model.predict_many([&others[0], &castle, &others[1]], 4).nth(1).unwrap().unwrap();
    let framed = model.info().preprocess.frame(&castle);
    assert_eq!(by_path, alone);
    assert_eq!(alone, model.prediction(&model.forward(&[framed])[0], 4));
    assert_eq!(alone, among, "to the last bit");
    let suggestion = model.suggest(fixture.photo()).unwrap();
    assert_eq!(suggestion.prediction.landmarks, by_path.landmarks[..3]);
    assert!(suggestion.photo == castle, "the photo itself, not what the network sees");
}

#[test]
fn a_photo_is_a_path_bytes_or_pixels_and_the_answer_is_the_same() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap();
    let bytes = fs::read(fixture.photo()).unwrap();
    let by_path = model.predict(fixture.photo(), 4).unwrap();
    assert_eq!(model.predict(PhotoSource::bytes(bytes.as_slice(), "upload"), 4).unwrap(), by_path);
    assert_eq!(model.predict(Photo::open(fixture.photo()).unwrap(), 4).unwrap(), by_path);
    let error = model.predict(PhotoSource::bytes(&bytes[..bytes.len() / 2], "upload 7"), 4).unwrap_err();
    assert!(error.to_string().contains("upload 7"), "{error}");
}

#[test]
fn many_photos_are_answered_in_their_order_whatever_the_threads_and_a_bad_one_in_its_place() {
    let fixture = Fixture::new();
    let missing = fixture.folder.path().join("nowhere.jpg");
    let photos = |count: u32| {
        let source = |n| match n % 5 {
            3 => PhotoSource::from(&missing),
            4 => PhotoSource::from(fixture.photo()),
            _ => PhotoSource::from(draw(Kind::Dome, u64::from(n), 40 + n)),
        };
        (0..count).map(source).collect::<Vec<_>>()
    };
    for views in [TestViews::One, TestViews::SixCrop] {
        for precision in [Precision::F32, Precision::best()] {
            let with = |threads| {
                let options = ModelOptions {
                    views: Some(views),
                    precision: Some(precision),
                    threads: std::num::NonZeroUsize::new(threads),
                    ..ModelOptions::default()
                };
                Model::open_with(fixture.bundle(), options).unwrap()
            };
            let one_by_one: Vec<_> = photos(23)
                .into_iter()
                .map(|photo| with(2).predict(photo, 2).map_err(|e| e.to_string()))
                .collect();
            assert_eq!(one_by_one.iter().filter(|answer| answer.is_err()).count(), 4);
            for threads in [1, 2, 5] {
                let model = with(threads);
                let together: Vec<_> = model
                    .predict_many(photos(23), 2)
                    .map(|answer| answer.map_err(|e| e.to_string()))
                    .collect();
                assert_eq!(together, one_by_one, "{views:?}, {precision}, {threads} threads");
            }
        }
    }
}

#[test]
fn landmarks_come_likeliest_first_and_their_probabilities_add_up_to_one() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap();
    let landmarks = model.predict(fixture.photo(), 4).unwrap().landmarks;
    assert!(landmarks.is_sorted_by(|a, b| a.probability >= b.probability), "{landmarks:?}");
    let sum: f32 = landmarks.iter().map(|landmark| landmark.probability.value()).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    let mill = landmarks.iter().find(|landmark| landmark.class == "03.Old_Mill").unwrap();
    assert_eq!(mill.name, "Old Mill");
}

#[test]
fn asking_for_more_landmarks_than_there_are_classes_gives_them_all_and_for_none_gives_none() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap();
    let count = |k| -> usize { model.predict(fixture.photo(), k).unwrap().landmarks.len() };
    assert_eq!([count(0), count(1), count(4), count(1000)], [0, 1, 4, 4]);
    assert_eq!(model.predict_many(Vec::<PathBuf>::new(), 3).count(), 0);
}

#[test]
fn a_photo_that_cannot_be_read_is_the_photos_own_error() {
    let fixture = Fixture::new();
    let model = Model::open(fixture.bundle()).unwrap();
    let missing = fixture.folder.path().join("nowhere.jpg");
    for error in [model.predict(&missing, 3).unwrap_err(), model.suggest(&missing).unwrap_err()] {
        assert!(matches!(error, PhotoError::NotFound { .. }), "{error:?}");
        assert!(error.to_string().contains("nowhere.jpg"), "{error}");
    }
}
