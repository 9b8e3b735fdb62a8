//! Exported ONNX models run in-process.

use cairn_model::ModelOptions;
use cairn_model::export::{OnnxModel, PhotoElement, VerifyError, WeightFormat, to_onnx};
use cairn_nets::{Architecture, Pooling};
use cairn_photo::TestViews;

use crate::models::{model, pooled};
use crate::photos::{drawn, drawn_and_real_photos, real_photos};

#[test]
fn every_network_says_in_the_rust_runtime_what_it_says_in_cairn() {
    let photos: Vec<_> = real_photos().into_iter().chain([("drawn".to_owned(), drawn(101, 67))]).collect();
    let gem = [Architecture::ResNet10Small, Architecture::MobileNetV3Large].map(|it| (it, Pooling::Gem));
    let networks = Architecture::ALL.map(|it| (it, Pooling::Average));
    for (architecture, pooling) in networks.into_iter().chain(gem) {
        let model = pooled(architecture, pooling);
        let bytes = to_onnx(&model.parts().exportable(), WeightFormat::F32, PhotoElement::Uint8).unwrap();
        let exported = OnnxModel::new(bytes, PhotoElement::Uint8).unwrap();
        for (name, photo) in &photos {
            exported.verify(&model, photo).unwrap_or_else(|error| panic!("{architecture}, {name}: {error}"));
        }
        let [first, second] = [&photos[0].1, &drawn(40, 90)].map(|p| exported.probabilities(p).unwrap());
        // Else models that looked at nothing would pass.
        let apart = first.iter().zip(&second).any(|(a, b)| (a - b).abs() > 0.01);
        assert!(apart, "{architecture}: {first:?} and {second:?}");
    }
}

#[test]
fn views_of_every_kind_are_in_the_graph_and_their_mean_is_the_answer_of_a_prediction() {
    use TestViews::*;
    let photos: Vec<_> = drawn_and_real_photos().into_iter().map(|(_, photo)| photo).collect();
    let mut apart = 0.0_f32;
    for views in [One, Flip, ThreeCrop, SixCrop, FiveCrop, TenCrop] {
        let mut model = model(Architecture::ResNet10Small);
        model.set_views(views);
        let bytes = to_onnx(&model.parts().exportable(), WeightFormat::F32, PhotoElement::Uint8).unwrap();
        let exported = OnnxModel::new(bytes, PhotoElement::Uint8).unwrap();
        for photo in &photos {
            let difference =
                exported.verify(&model, photo).unwrap_or_else(|error| panic!("{views:?}: {error}"));
            assert!(difference < 2e-5, "{views:?}, {photo:?}: {difference}");
            let predicted = model.predict(photo, 1).unwrap().landmarks[0].probability.value();
            let found = exported.probabilities(photo).unwrap().into_iter().fold(0.0, f32::max);
            assert!((predicted - found).abs() < 2e-5, "{views:?}, {photo:?}: {found}, predicted {predicted}");
            let plain = model.clone().with_options(ModelOptions {
                views: Some(One),
                precision: Some(model.precision()),
                ..ModelOptions::default()
            });
            let plain = plain.unwrap().predict(photo, 1).unwrap().landmarks[0].probability.value();
            apart = apart.max((plain - predicted).abs());
        }
    }
    assert!(apart > 0.05, "views that say the same would show nothing: {apart}");
}

#[test]
fn rounded_weights_and_floats_for_photos_are_verified_against_a_network_rounded_alike() {
    let model = model(Architecture::ResNet10Small);
    let photo = drawn(90, 140);
    for weights in [WeightFormat::F16, WeightFormat::Int8] {
        let bytes = to_onnx(&model.parts().exportable(), weights, PhotoElement::Float).unwrap();
        let exported = OnnxModel::new(bytes, PhotoElement::Float).unwrap();
        exported.verify(&model.as_exported(weights).unwrap(), &photo).unwrap();
    }
}

#[test]
fn an_exported_model_that_says_something_else_is_told() {
    let model = model(Architecture::ResNet10Small);
    let photo = drawn(90, 140);
    let parts = model.parts();
    let mut other = parts.exportable();
    other.temperature = 1.01;
    let bytes = to_onnx(&other, WeightFormat::F32, PhotoElement::Uint8).unwrap();
    let exported = OnnxModel::new(bytes, PhotoElement::Uint8).unwrap();
    let error = exported.verify(&model, &photo).unwrap_err();
    assert!(matches!(error, VerifyError::Differs(difference) if difference > 1e-4), "{error}");
    other.temperature = f32::MIN_POSITIVE;
    let bytes = to_onnx(&other, WeightFormat::F32, PhotoElement::Uint8).unwrap();
    let exported = OnnxModel::new(bytes, PhotoElement::Uint8).unwrap();
    assert!(exported.verify(&model, &photo).is_err(), "what is no number is no probability");
}

#[test]
fn what_is_no_onnx_model_is_not_opened() {
    let error = OnnxModel::new(b"no model".to_vec(), PhotoElement::Uint8).map(drop).unwrap_err();
    assert!(matches!(error, VerifyError::Open(_)), "{error}");
}
