//! What networks cost, held to what is published.

use cairn_nets::Architecture;

/// Parameters and multiply-adds (in millions) of 1000 classes at 224 px, as torchvision's documentation of its weights has
/// them (`num_params`, and `_ops` in billions to two decimals).
const PUBLISHED: [(Architecture, usize, f64); 11] = [
    (Architecture::ResNet18, 11_689_512, 1814.0),
    (Architecture::ResNet34, 21_797_672, 3664.0),
    (Architecture::ResNet50, 25_557_032, 4089.0),
    (Architecture::AlexNet, 61_100_840, 714.0),
    (Architecture::Vgg16Bn, 138_365_992, 15_470.0),
    (Architecture::SqueezeNet1_1, 1_235_496, 349.0),
    (Architecture::MobileNetV2, 3_504_872, 301.0),
    (Architecture::MobileNetV3Large, 5_483_032, 217.0),
    (Architecture::EfficientNetB0, 5_288_548, 386.0),
    (Architecture::RegNetY800Mf, 6_432_512, 834.0),
    (Architecture::ConvNextTiny, 28_589_128, 4456.0),
];

#[test]
fn networks_of_torchvision_cost_what_its_documentation_says() {
    for (architecture, parameters, millions) in PUBLISHED {
        let summary = architecture.summary(1000).unwrap();
        assert_eq!(summary.side, 224, "{architecture}");
        assert_eq!(summary.parameters, parameters, "{architecture}");
        let counted = summary.multiply_adds as f64 / 1e6;
        assert!((counted - millions).abs() <= 0.51, "{architecture}: {counted} of {millions} million");
        assert!(summary.imagenet_weights.is_some_and(|address| address.ends_with(".pth")), "{architecture}");
    }
}

#[test]
fn every_architecture_has_a_summary() {
    for architecture in Architecture::ALL {
        let summary = architecture.summary(2).unwrap();
        assert!(summary.multiply_adds > 0 && summary.features > 0, "{architecture}");
    }
}
