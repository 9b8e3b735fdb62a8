//! Weights go out and come in again unchanged, and what does not fit is named.

use cairn_nets::{Architecture, Network, Precision, StateDict, StateDictError};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

use crate::network;

fn little_network() -> Network {
    network(Architecture::ThreeConv, 2, 8)
}

fn little_file() -> Vec<u8> {
    little_network().state_dict().to_safetensors("note", "a note".to_owned()).unwrap()
}

/// A safetensors file of these tensors, all zeros.
fn file_of(tensors: &[(String, Dtype, Vec<usize>)]) -> Vec<u8> {
    let zeros = vec![0; 4 << 20];
    let view = |(name, dtype, shape): &(String, Dtype, Vec<usize>)| {
        let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name.clone(), TensorView::new(*dtype, shape.clone(), &zeros[..bytes]).unwrap())
    };
    safetensors::serialize(tensors.iter().map(view).collect::<Vec<_>>(), None).unwrap()
}

/// The tensors that a network has, by name and shape.
fn tensors_of(network: &Network) -> Vec<(String, Dtype, Vec<usize>)> {
    let weights = network.state_dict();
    weights.shapes().map(|(name, shape)| (name.to_owned(), Dtype::F32, shape.to_vec())).collect()
}

#[test]
fn a_network_survives_the_way_through_a_file_bit_for_bit() {
    let images: Vec<f32> = (0..2 * 3 * 32 * 32).map(|i| (i as f32 * 0.37).sin()).collect();
    for architecture in [Architecture::ThreeConv, Architecture::PlainCnn, Architecture::ResNet10Small] {
        let ours = network(architecture, 5, 32);
        let file = ours.state_dict().to_safetensors("note", "a note".to_owned()).unwrap();
        let (weights, note) = StateDict::from_safetensors(&file, "note").unwrap();
        assert_eq!(note.as_deref(), Some("a note"));
        assert!(weights == ours.state_dict(), "{architecture}");
        let other = crate::drawn(architecture, 5, 32, cairn_nets::Init::He, 99);
        let restored = other.with_state_dict(weights).unwrap();
        assert!(restored.state_dict() == ours.state_dict(), "{architecture}");
        assert_eq!(
            restored.logits(&images, 32, 32, Precision::F32),
            ours.logits(&images, 32, 32, Precision::F32),
            "{architecture}"
        );
    }
}

#[test]
fn resnets_have_the_names_and_shapes_of_torchvision() {
    let weights = network(Architecture::ResNet18, 1000, 224).state_dict();
    let shape =
        |wanted: &str| weights.shapes().find(|(name, _)| *name == wanted).map(|(_, shape)| shape.to_vec());
    // torchvision 0.26: resnet18().state_dict(), which has 122 entries, 20 of them counters.
    assert_eq!(weights.shapes().count(), 102);
    for (name, expected) in [
        ("conv1.weight", vec![64, 3, 7, 7]),
        ("bn1.running_var", vec![64]),
        ("layer1.0.conv1.weight", vec![64, 64, 3, 3]),
        ("layer2.0.downsample.0.weight", vec![128, 64, 1, 1]),
        ("layer2.0.downsample.1.running_mean", vec![128]),
        ("layer4.1.bn2.bias", vec![512]),
        ("fc.weight", vec![1000, 512]),
        ("fc.bias", vec![1000]),
    ] {
        assert_eq!(shape(name), Some(expected), "{name}");
    }
}

#[test]
fn pytorchs_counters_of_batches_are_passed_over() {
    let mut tensors = tensors_of(&little_network());
    tensors.push(("bn1.num_batches_tracked".to_owned(), Dtype::I64, vec![]));
    let (weights, _) = StateDict::from_safetensors(&file_of(&tensors), "note").unwrap();
    little_network().with_state_dict(weights).unwrap();
}

#[test]
fn tensors_that_are_missing_left_over_or_of_another_shape_are_all_named() {
    let mut tensors = tensors_of(&little_network());
    tensors.retain(|(name, ..)| name != "conv1.bias" && name != "bn1.running_var");
    tensors.push(("fc7.weight".to_owned(), Dtype::F32, vec![2]));
    tensors.push(("fc7.bias".to_owned(), Dtype::F32, vec![2]));
    for (name, _, shape) in &mut tensors {
        match name.as_str() {
            "conv2.weight" => *shape = vec![32, 16, 5, 5],
            "fc2.weight" => shape.reverse(),
            _ => {}
        }
    }
    let (weights, _) = StateDict::from_safetensors(&file_of(&tensors), "note").unwrap();
    let error = little_network().with_state_dict(weights).unwrap_err();
    let message = error.to_string();
    let StateDictError::Mismatch { mut missing, surplus, mut mismatched } = error else {
        panic!("{error:?}")
    };
    missing.sort();
    mismatched.sort();
    assert_eq!(missing, ["bn1.running_var", "conv1.bias"]);
    assert_eq!(surplus, ["fc7.bias", "fc7.weight"]);
    assert_eq!(mismatched.len(), 2, "{mismatched:?}");
    assert!(mismatched[0].starts_with("conv2.weight") && mismatched[0].contains("[32, 16, 5, 5]"));
    assert!(mismatched[1].starts_with("fc2.weight") && mismatched[1].contains("[128, 2]"));
    for name in ["bn1.running_var", "conv1.bias", "fc7.bias", "fc7.weight", "conv2.weight", "fc2.weight"] {
        assert!(message.contains(name), "{message} should name {name}");
    }
}

#[test]
fn weights_that_are_whole_numbers_are_refused_by_name() {
    let mut tensors = tensors_of(&little_network());
    let tensor = tensors.iter_mut().find(|(name, ..)| name == "fc1.weight").unwrap();
    tensor.1 = Dtype::I32;
    let Err(error) = StateDict::from_safetensors(&file_of(&tensors), "note") else { panic!("read") };
    assert!(matches!(error, StateDictError::Dtype { dtype: Dtype::I32, .. }), "{error:?}");
    assert!(error.to_string().contains("fc1.weight"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_truncated_file_is_an_error_wherever_it_was_cut(share in 0.0..1.0_f64) {
        let file = little_file();
        let kept = (file.len() as f64 * share) as usize;
        let cut = StateDict::from_safetensors(&file[..kept], "note");
        prop_assert!(matches!(cut, Err(StateDictError::Format(_))), "{kept} of {} bytes", file.len());
    }

    #[test]
    fn a_file_with_wrong_bytes_in_its_header_never_panics(
        damage in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..8),
    ) {
        let mut file = little_file();
        let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        for (place, byte) in damage {
            file[(place * header as f64) as usize] = byte;
        }
        if let Ok((weights, _)) = StateDict::from_safetensors(&file, "note") {
            // What it says fits the network or is named; either is well.
            let _ = little_network().with_state_dict(weights);
        }
    }
}
