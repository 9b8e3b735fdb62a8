//! Networks in 8 bits give nearly what they give in floats, and the same bits whatever else there is.

use std::collections::BTreeMap;

use burn::tensor::Device;
use cairn_nets::quantised::{
    Calibration, Int8Settings, LevelScale, PhotoLevels, QuantiseError, QuantisedNetwork, QuantisedOutput,
};
use cairn_nets::{Architecture, Init, Network, NetworkSpec, Pooling, Precision};

const PHOTO: PhotoLevels = PhotoLevels { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const CLASSES: usize = 7;

fn network(architecture: Architecture, side: usize) -> Network {
    let spec = NetworkSpec { architecture, classes: CLASSES, side, dropout: 0.2, pooling: Pooling::Average };
    spec.build(Init::Default, 3, &Device::flex()).unwrap()
}

/// Pixels of photos with edges and slopes: `[count, side, side, 3]`.
fn photos(count: usize, side: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    for photo in 0..count {
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            for channel in 0..3 {
                let slope = (x * (photo + 2) + y * (channel + 1)) * 255 / (side * (photo + channel + 3));
                let edge = if (x / 5 + y / (4 + photo)) % 2 == 0 { 70 } else { 0 };
                pixels.push((slope + edge + photo * 13).min(255) as u8);
            }
        }
    }
    pixels
}

/// The same as normalised planes: `[count, 3, side, side]`.
fn planes(pixels: &[u8], side: usize) -> Vec<f32> {
    let mut planes = Vec::with_capacity(pixels.len());
    for photo in pixels.chunks_exact(3 * side * side) {
        for channel in 0..3 {
            let levels = photo.iter().skip(channel).step_by(3);
            planes.extend(
                levels.map(|&level| (f32::from(level) / 255.0 - PHOTO.mean[channel]) / PHOTO.std[channel]),
            );
        }
    }
    planes
}

fn calibrated(network: &Network, side: usize) -> Calibration {
    let mut calibration = Calibration::new(network, side);
    calibration.observe(&planes(&photos(4, side), side)).unwrap();
    calibration
}

fn in_bytes(network: &Network, side: usize) -> QuantisedNetwork {
    let settings = calibrated(network, side).settings([]).unwrap();
    QuantisedNetwork::new(network, side, PHOTO, &BTreeMap::new(), &settings).unwrap()
}

/// How far values are from those expected, relative to the expected ones' spread about their mean.
fn relative_error(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f64 {
    let (found, expected) = (found.concat(), expected.concat());
    assert_eq!(found.len(), expected.len());
    let wide = || expected.iter().map(|&value| f64::from(value));
    let mean = wide().sum::<f64>() / expected.len() as f64;
    let spread: f64 = wide().map(|value| (value - mean).powi(2)).sum();
    let error: f64 = found.iter().zip(wide()).map(|(found, value)| (f64::from(*found) - value).powi(2)).sum();
    (error / spread.max(f64::MIN_POSITIVE)).sqrt()
}

#[test]
fn every_network_says_in_8_bits_nearly_what_it_says_in_floats() {
    for (architecture, side) in [
        (Architecture::ResNet18Small, 64),
        (Architecture::MobileNetV2, 96),
        (Architecture::EfficientNetLite0, 95),
        (Architecture::MobileNetV3Large, 64),
        (Architecture::RegNetY800Mf, 64),
        (Architecture::SqueezeNet1_1, 64),
        (Architecture::ThreeConv, 32),
    ] {
        let network = network(architecture, side);
        let pixels = photos(3, side);
        let expected = network.logits(&planes(&pixels, side), side, side, Precision::F32);
        let quantised = in_bytes(&network, side);
        let QuantisedOutput { features, logits } = quantised.forward(&pixels, side, side);
        assert_eq!(features.len(), 3, "{architecture}");
        assert!(features.iter().all(|row| row.len() == network.feature_count()), "{architecture}");
        let error = relative_error(&logits, &expected);
        assert!(error < 0.35, "{architecture}: logits are off by {error:.3} of their spread");
        // All in floats differs by bf16 at most, where the machine has it.
        let calibration = calibrated(&network, side);
        let settings = calibration.settings(calibration.layers()).unwrap();
        let floats = QuantisedNetwork::new(&network, side, PHOTO, &BTreeMap::new(), &settings).unwrap();
        assert!(floats.byte_layers().0 == 0 && quantised.byte_layers().0 > 0, "{architecture}");
    }
}

#[test]
fn all_layers_of_the_networks_for_photos_are_in_8_bits() {
    for (architecture, layers) in [
        (Architecture::ResNet18Small, 20),
        (Architecture::ResNet34, 36),
        (Architecture::MobileNetV2, 52),
        (Architecture::EfficientNetLite0, 49),
    ] {
        let network = network(architecture, 32);
        assert_eq!(in_bytes(&network, 32).byte_layers(), (layers, layers), "{architecture}");
    }
}

#[test]
fn a_photo_gives_the_same_bits_alone_or_among_others_on_any_number_of_threads() {
    let network = network(Architecture::EfficientNetLite0, 64);
    let quantised = in_bytes(&network, 64);
    let pixels = photos(7, 64);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| quantised.forward(&pixels, 64, 64))
    };
    let together = on(1);
    assert_eq!(on(3), together);
    for (at, photo) in pixels.chunks_exact(3 * 64 * 64).enumerate() {
        let alone = quantised.forward(photo, 64, 64);
        assert_eq!((&alone.logits[0], &alone.features[0]), (&together.logits[at], &together.features[at]));
    }
    // Other sizes than the one that it was made for, too.
    assert_eq!(quantised.forward(&photos(2, 50), 50, 50).logits.len(), 2);
    assert!(quantised.forward(&[], 64, 64).logits.is_empty());
}

#[test]
fn weights_that_were_rounded_before_give_the_same_network_and_keep_channels_means() {
    let network = network(Architecture::MobileNetV2, 64);
    let calibration = calibrated(&network, 64);
    let settings = calibration.settings([]).unwrap();
    let (tensors, rounded) = calibration.rounded(&settings).unwrap();
    // All but the first layer, whose weights take in the photo's normalisation.
    assert_eq!(rounded.len(), 51);
    let network = network.with_state_dict(tensors).unwrap();
    let make = |rounded| QuantisedNetwork::new(&network, 64, PHOTO, rounded, &settings).unwrap();
    let pixels = photos(2, 64);
    let with = make(&rounded).forward(&pixels, 64, 64);
    // Rounded again they are the same integers.
    let without = make(&BTreeMap::new()).forward(&pixels, 64, 64);
    assert!(relative_error(&with.logits, &without.logits) < 0.05);
    let floats = network.logits(&planes(&pixels, 64), 64, 64, Precision::F32);
    assert!(relative_error(&with.logits, &floats) < 0.35);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let network = network(Architecture::ResNet18Small, 64);
    let calibration = calibrated(&network, 64);
    let sound = calibration.settings(["layer1.0.conv1".to_owned()]).unwrap();
    let make = |change: &dyn Fn(&mut Int8Settings)| {
        let mut settings = sound.clone();
        change(&mut settings);
        QuantisedNetwork::new(&network, 64, PHOTO, &BTreeMap::new(), &settings)
    };
    assert_eq!(make(&|_| ()).unwrap().byte_layers(), (19, 20));
    let error = make(&|settings| settings.ranges.clear()).unwrap_err();
    assert!(matches!(error, QuantiseError::Range(_)), "{error}");
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-42] {
        let broken = LevelScale { scale, zero: 3 };
        let error =
            make(&|settings| settings.ranges.values_mut().for_each(|range| *range = broken)).unwrap_err();
        assert!(matches!(error, QuantiseError::Scale(_)), "{scale}: {error}");
    }
    let error = make(&|settings| settings.float.extend(["layer9".to_owned()])).unwrap_err();
    assert!(matches!(error, QuantiseError::Layer(_)), "{error}");
    assert!(matches!(calibration.settings(["fc".to_owned()]).unwrap_err(), QuantiseError::Layer(_)));
    let nothing = Calibration::new(&network, 64).settings([]).unwrap_err();
    assert!(matches!(nothing, QuantiseError::NoPhotos), "{nothing}");
}
