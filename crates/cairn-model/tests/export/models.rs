//! Models of every network, with weights that tell photos apart.

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_model::{BundleInfo, Model, Provenance, write_bundle};
use cairn_nets::{Architecture, Init, Network, NetworkSpec, Pooling, Precision, StateDict};
use cairn_photo::{Framing, Normalisation, Photo, Preprocess, TestViews};

use crate::photos::drawn;

const CLASSES: [&str; 5] =
    ["00.Eiffel_Tower", "01.Château_d'If", "02.\"Quoted\"", "03.東京タワー", "04.back\\slash"];

/// A model with random weights, in f32. Norms shift and scale, and the logits are far enough apart that a wrong one shows.
pub(crate) fn model(architecture: Architecture) -> Model {
    pooled(architecture, Pooling::Average)
}

/// The same with this pool.
pub(crate) fn pooled(architecture: Architecture, pooling: Pooling) -> Model {
    // The smallest that the network takes: what is computed does not depend on it, how long it takes does.
    let spec = |side| NetworkSpec { architecture, classes: CLASSES.len(), side, dropout: 0.25, pooling };
    let spec = [64, 96, 224].map(spec).into_iter().find(|spec| spec.validate().is_ok()).unwrap();
    let framing = Framing::ShortSideCrop { short_side: spec.side as u32 + 9, crop: spec.side as u32 };
    let info = BundleInfo {
        network: spec.clone(),
        classes: ClassList::from_folders(CLASSES),
        preprocess: Preprocess { framing, normalisation: Normalisation::IMAGENET },
        views: TestViews::One,
        rejection: None,
        learning: None,
        backbone: None,
        temperature: 1.3,
        conformal: None,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: "# a recipe".to_owned(),
            data_fingerprint: "0123456789abcdef".to_owned(),
            epoch: 7,
            valid_loss: 0.5,
            valid_accuracy: 0.75,
        },
    };
    let network = spread(spec.build(Init::He, 5, &Device::flex()).unwrap(), &info.preprocess);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_bundle(&path, &network, &info).unwrap();
    Model::open(&path).unwrap().with_precision(Precision::F32)
}

/// The network with norms that do something, and its last layer scaled and shifted so that the logits of two photos differ
/// by some units: random weights alone say nearly the same of all photos.
fn spread(network: Network, preprocess: &Preprocess) -> Network {
    let photo = drawn(120, 90);
    let inverted = photo.pixels().iter().map(|level| 255 - level).collect();
    let inverted = Photo::from_pixels(photo.width(), photo.height(), inverted).unwrap();
    let head = network.head_prefix();
    let (weight, bias) = (format!("{head}.weight"), format!("{head}.bias"));
    let linear = network.has_linear_head();
    let stirred = changed(&network.state_dict(), |name, shape, values| match shape {
        // Not the one that it begins with.
        [_] if name == Pooling::POWER => vec![2.4],
        // SqueezeNet's logits are means of what a ReLU lets through: let it.
        [_] if name == bias && !linear => values.iter().map(|value| value + 3.0).collect(),
        [_] if name.ends_with(".running_mean") || name.ends_with(".bias") => {
            values.iter().enumerate().map(|(i, value)| value + 0.2 * wave(i)).collect()
        }
        [_] => values.iter().enumerate().map(|(i, value)| value * (1.0 + 0.3 * wave(i))).collect(),
        // ConvNeXt's scales of its branches, which are next to nothing before any training.
        [_, 1, 1] => (0..values.len()).map(|i| 0.5 + 0.3 * wave(i)).collect(),
        [outputs, ..] => of_length(values, (2.0 * *outputs as f32).sqrt()),
        [] => values.to_vec(),
    });
    let network = network.with_state_dict(stirred.clone()).unwrap();
    let [a, b] = [&photo, &inverted].map(|photo| logits(&network, preprocess, photo));
    let middle: Vec<f32> = a.iter().zip(&b).map(|(a, b)| (a + b) / 2.0).collect();
    let squares: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    let deviation = (squares / a.len() as f32).sqrt();
    let scale = 2.0 / deviation;
    let scaled = changed(&stirred, |name, _, values| {
        if name == weight {
            values.iter().map(|value| value * scale).collect()
        } else if name == bias && !linear {
            values.iter().map(|value| value * scale).collect()
        } else if name == bias {
            values.iter().zip(&middle).map(|(value, middle)| (value - middle) * scale).collect()
        } else {
            values.to_vec()
        }
    });
    network.with_state_dict(scaled).unwrap()
}

/// Values all together of this length. Weights from `n` inputs to each of `m` outputs, of a variance of `2 / n` each, which
/// keeps what comes through them as large as it was (He et al. 2015), are of the length `(2 m)^0.5`; those of depthwise
/// convolutions are much shorter before any training.
fn of_length(values: &[f32], length: f32) -> Vec<f32> {
    let now = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.iter().map(|value| value * length / now).collect()
}

/// The same tensors with the values that `change` makes of each one's name, shape and values.
fn changed(weights: &StateDict, change: impl Fn(&str, &[usize], &[f32]) -> Vec<f32>) -> StateDict {
    let mut changed = StateDict::default();
    for (name, shape) in weights.shapes() {
        changed.insert(name, shape, change(name, shape, weights.values(name).unwrap()));
    }
    changed
}

fn logits(network: &Network, preprocess: &Preprocess, photo: &Photo) -> Vec<f32> {
    let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
    network.logits(&pixels(preprocess, photo), height, width, Precision::F32).remove(0)
}

/// The photo as the network sees it, `[3, height, width]`.
fn pixels(preprocess: &Preprocess, photo: &Photo) -> Vec<f32> {
    let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
    let mut pixels = vec![0.0; 3 * height * width];
    preprocess.normalisation.write_chw(&preprocess.frame(photo), &mut pixels);
    pixels
}

/// A number from -1 to 1 for each index.
fn wave(index: usize) -> f32 {
    (index as f32 * 12.9898).sin()
}
