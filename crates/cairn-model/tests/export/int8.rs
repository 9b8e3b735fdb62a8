//! Models in 8 bits: what they say, what their files hold, and what becomes of them.

use std::fs;

use cairn_model::export::{PhotoElement, WeightFormat, to_bundle, to_onnx};
use cairn_model::{Int8Calibration, Model, ModelError, Precision};
use cairn_nets::Architecture;
use cairn_photo::Photo;

use crate::models::model;
use crate::photos::drawn;

/// A model in 8 bits, the one of floats that it was made of, and photos.
fn brought(architecture: Architecture, float: &[&str]) -> (Model, Model, Vec<Photo>) {
    let whole = model(architecture);
    let photos: Vec<Photo> = [(120, 90), (90, 120), (101, 67), (64, 64)].map(|(w, h)| drawn(w, h)).to_vec();
    let mut calibration = Int8Calibration::new(&whole);
    photos.chunks(3).for_each(|photos| calibration.observe(&whole, photos).unwrap());
    assert_eq!(calibration.photos(), photos.len());
    let int8 = whole.to_int8(&calibration, float.iter().map(|layer| (*layer).to_owned())).unwrap();
    (int8, whole, photos)
}

fn logits(model: &Model, photos: &[Photo]) -> Vec<Vec<f32>> {
    photos.iter().map(|photo| model.output(photo).unwrap().logits).collect()
}

fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    a.concat().iter().zip(b.concat()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_bundle_in_8_bits_is_opened_as_what_was_written_to_the_bit_and_stays_so_when_it_is_saved() {
    let (int8, whole, photos) = brought(Architecture::ResNet10Small, &["layer2.0.conv1"]);
    assert_eq!((int8.number_type(), whole.number_type()), ("int8", "f32"));
    let expected = logits(&int8, &photos);
    // Logits of two photos are some units apart.
    assert!(largest_difference(&expected, &logits(&whole, &photos)) < 0.8);
    let bytes = to_bundle(&int8, WeightFormat::Int8).unwrap();
    let half = to_bundle(&whole, WeightFormat::F16).unwrap();
    assert!(bytes.len() * 10 < half.len() * 7, "{} and {} bytes", bytes.len(), half.len());
    let opened = Model::from_bytes(&bytes, "int8.safetensors").unwrap();
    assert_eq!(logits(&opened, &photos), expected);
    let settings = opened.int8().unwrap();
    assert!(settings.float.iter().eq(["layer2.0.conv1"]) && !settings.ranges.is_empty());
    // What changes a bundle writes it again.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.safetensors");
    let mut changed = opened.clone();
    changed.set_temperature(2.5);
    changed.save(&path).unwrap();
    let again = Model::open(&path).unwrap();
    assert_eq!((logits(&again, &photos), again.info().temperature), (expected, 2.5));
    assert_eq!(again.int8(), opened.int8());
}

#[test]
fn floats_are_there_for_who_asks_and_for_other_formats() {
    let (int8, whole, photos) = brought(Architecture::ResNet10Small, &[]);
    let floats = int8.clone().with_precision(Precision::F32);
    assert_eq!(floats.number_type(), "f32");
    let found = logits(&floats, &photos);
    assert_ne!(found, logits(&int8, &photos));
    assert!(largest_difference(&found, &logits(&whole, &photos)) < 0.5);
    // The weights that another format gets are those.
    let exported = int8.as_exported(WeightFormat::F32).unwrap();
    assert_eq!(logits(&exported, &photos), found);
    assert!(exported.int8().is_none());
    assert!(
        !to_onnx(&int8.parts().exportable(), WeightFormat::Int8, PhotoElement::Uint8).unwrap().is_empty()
    );
}

#[test]
fn depthwise_layers_and_uneven_padding_are_close_to_floats_too() {
    for architecture in [Architecture::MobileNetV2, Architecture::EfficientNetLite0] {
        let (int8, whole, photos) = brought(architecture, &[]);
        let difference = largest_difference(&logits(&int8, &photos), &logits(&whole, &photos));
        assert!(difference < 2.5, "{architecture}: {difference}");
    }
}

#[test]
fn layers_are_compared_one_by_one_the_worst_first() {
    let whole = model(Architecture::ResNet10Small);
    let photos = [drawn(120, 90), drawn(64, 64)];
    let mut calibration = Int8Calibration::new(&whole);
    calibration.observe(&whole, &photos).unwrap();
    let errors = whole.int8_errors(&calibration, &photos).unwrap();
    assert_eq!(errors.len(), calibration.layers().len());
    assert!(errors.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{errors:?}");
    assert!(errors[0].1 > 0.0);
}

#[test]
fn damaged_bundles_in_8_bits_are_refused_with_a_reason() {
    let (int8, _, _) = brought(Architecture::ResNet10Small, &[]);
    let bytes = to_bundle(&int8, WeightFormat::Int8).unwrap();
    let changed = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from}"));
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        Model::from_bytes(&changed, "int8.safetensors").unwrap_err()
    };
    // An older cairn refuses the version before all else.
    let later = changed("\\\"format\\\":2", "\\\"format\\\":9");
    assert!(matches!(later, ModelError::Version { found: 9, supported: 2, .. }), "{later:?}");
    let no_range = changed("layer1.0.bn1.relu\\\":{\\\"scale", "layer1.0.bn1.rely\\\":{\\\"scale");
    assert!(matches!(no_range, ModelError::Int8 { .. }), "{no_range:?}");
    let no_scale = changed("layer1.0.conv1.weight_scale", "layer1.0.conv1.weight_skale");
    assert!(matches!(no_scale, ModelError::Weights { .. } | ModelError::Damaged { .. }), "{no_scale:?}");
    // Bytes in a file of the first version are no weights.
    let first = changed("\\\"format\\\":2", "\\\"format\\\":1");
    assert!(matches!(first, ModelError::Damaged { .. } | ModelError::Weights { .. }), "{first:?}");
    let mut flipped = bytes;
    *flipped.last_mut().unwrap() ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.safetensors");
    fs::write(&path, flipped).unwrap();
    assert!(matches!(Model::open(&path).unwrap_err(), ModelError::Checksum { .. }));
}
