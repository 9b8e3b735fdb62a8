//! Features and head: the two halves of a forward pass.

use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::{Architecture, Network, Precision};

use crate::network;

const SIDE: usize = 64;
const CLASSES: usize = 5;

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
        let network = network(architecture, CLASSES, SIDE);
        let features = network.features(images(2), Precision::F32);
        assert_eq!(features.dims(), [2, network.feature_count()], "{architecture}");
        let logits = network.forward(images(2), Precision::F32);
        let both = network.features_and_logits(images(2), Precision::F32).map(values);
        assert_eq!(both, [values(features.clone()), values(logits.clone())], "{architecture}");
        let classified = network.classify(features);
        assert_eq!(classified.dims(), logits.dims(), "{architecture}");
        // SqueezeNet's head takes a map, not its mean.
        let same = values(classified) == values(logits);
        assert_eq!(same, architecture != Architecture::SqueezeNet1_1, "{architecture}");
        assert_eq!(network.has_linear_head(), same, "{architecture}");
        check_head(architecture, &network);
    }
}

/// The head's tensors are named, and of the shape that features and classes ask for.
fn check_head(architecture: Architecture, network: &Network) {
    let (weights, prefix) = (network.state_dict(), network.head_prefix());
    let shape = |tensor: &str| {
        let name = format!("{prefix}.{tensor}");
        weights.shapes().find(|(found, _)| *found == name).map(|(_, shape)| shape.to_vec())
    };
    let mut expected = vec![CLASSES, network.feature_count()];
    if !network.has_linear_head() {
        expected.extend([1, 1]);
    }
    assert_eq!(shape("weight"), Some(expected), "{architecture}");
    assert_eq!(shape("bias"), Some(vec![CLASSES]), "{architecture}");
}

#[test]
fn the_head_is_called_as_in_torchvision() {
    for (architecture, prefix) in [
        (Architecture::SixConv, "fc3"),
        (Architecture::ThreeConv, "fc2"),
        (Architecture::ResNet34, "fc"),
        (Architecture::AlexNet, "classifier.6"),
        (Architecture::SqueezeNet1_1, "classifier.1"),
        (Architecture::MobileNetV2, "classifier.1"),
        (Architecture::MobileNetV3Large, "classifier.3"),
        (Architecture::EfficientNetB0, "classifier.1"),
        (Architecture::EfficientNetLite0, "classifier"),
        (Architecture::RegNetY800Mf, "fc"),
        (Architecture::ConvNextTiny, "classifier.2"),
    ] {
        assert_eq!(network(architecture, CLASSES, SIDE).head_prefix(), prefix, "{architecture}");
    }
}
