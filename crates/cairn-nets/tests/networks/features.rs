//! Features and head: the two halves of a forward pass.

use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::{Architecture, Network, Precision};

use crate::network;

const SIDE: usize = 64;

fn images(batch: usize) -> Tensor<4> {
    let values: Vec<f32> = (0..batch * 3 * SIDE * SIDE).map(|i| (i as f32 * 0.37).sin()).collect();
    Tensor::from_data(TensorData::new(values, [batch, 3, SIDE, SIDE]), &Device::flex())
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn the_logits_are_the_heads_answer_to_the_features() {
    for architecture in Architecture::ALL {
        let network = network(architecture, 5, SIDE);
        let features = network.features(images(2), Precision::F32);
        assert_eq!(features.dims(), [2, network.feature_count()], "{architecture}");
        let logits = network.forward(images(2), Precision::F32);
        assert_eq!(values(network.classify(features)), values(logits), "{architecture}");
    }
}

#[test]
fn the_head_is_the_linear_layer_of_the_features_and_the_classes() {
    for (architecture, prefix) in [
        (Architecture::SixConv, "fc3"),
        (Architecture::ThreeConv, "fc2"),
        (Architecture::ResNet34, "fc"),
        (Architecture::MobileNetV2, "classifier.1"),
    ] {
        assert_eq!(network(architecture, 5, SIDE).head_prefix(), prefix);
    }
    for architecture in Architecture::ALL {
        let network: Network = network(architecture, 5, SIDE);
        let (weights, prefix) = (network.state_dict(), network.head_prefix());
        let shape = |tensor: &str| {
            let name = format!("{prefix}.{tensor}");
            weights.shapes().find(|(found, _)| *found == name).map(|(_, shape)| shape.to_vec())
        };
        assert_eq!(shape("weight"), Some(vec![5, network.feature_count()]), "{architecture}");
        assert_eq!(shape("bias"), Some(vec![5]), "{architecture}");
    }
}
