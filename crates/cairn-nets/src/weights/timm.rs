//! timm's names for the tensors of networks that torchvision has, too (<https://github.com/huggingface/pytorch-image-models>).
//!
//! timm and torchvision build the same ResNet, MobileNetV2, MobileNetV3-Large, EfficientNet-B0, RegNetY-800MF and
//! ConvNeXt-Tiny, and name their tensors differently; ResNets have the same names in both.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Network, Pooling, StateDict};

/// Blocks in each of timm's stages of MobileNetV2.
const MOBILENET_V2: [usize; 7] = [1, 2, 3, 4, 3, 3, 1];

/// Blocks in each of timm's stages of MobileNetV3-Large; the last is a single convolution.
const MOBILENET_V3: [usize; 7] = [1, 2, 3, 4, 2, 3, 1];

/// What keeps the root from zero in batch norms of MobileNetV3: timm's, then torchvision's.
const EPSILONS: [f32; 2] = [1e-5, 1e-3];

impl Network {
    /// timm's name for each of this network's tensors, by the network's own; `None` where timm has no such network, or has it
    /// under the same names.
    pub(super) fn timm_names(&self) -> Option<BTreeMap<String, String>> {
        // timm has no GeM.
        let names: BTreeSet<String> =
            self.tensor_shapes().into_keys().filter(|name| name != Pooling::POWER).collect();
        let timm = |name: &str| match self {
            Self::MobileNetV2(_) => mobilenet_v2(name),
            Self::MobileNetV3(_) => mobilenet_v3(name, &names),
            Self::EfficientNet(_) => efficientnet(name, &names),
            Self::RegNet(_) => regnet(name),
            Self::ConvNext(_) => convnext(name),
            _ => None,
        };
        names.iter().map(|name| Some((name.clone(), timm(name)?))).collect()
    }

    /// The weights with timm's names in place of the network's own, and the network's shapes: `names` are timm's by the
    /// network's own, and `prefix` is before each in the file.
    pub(super) fn renamed_from_timm(
        &self,
        mut weights: StateDict,
        names: &BTreeMap<String, String>,
        prefix: &str,
    ) -> StateDict {
        let shapes = self.tensor_shapes();
        for (own, timm) in names {
            let Some((shape, values)) = weights.take(&format!("{prefix}{timm}")) else { continue };
            // A linear layer of one is a 1x1 convolution of the other, a vector of one a map of one pixel.
            let same = shapes.get(own).filter(|own| without_ones(own) == without_ones(&shape));
            weights.insert(&format!("{prefix}{own}"), same.unwrap_or(&shape), values);
        }
        if let Self::MobileNetV3(_) = self {
            set_epsilon(&mut weights, EPSILONS);
        }
        weights
    }
}

fn without_ones(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|side| *side != 1).collect()
}

/// Changes batch norms' weights so that they give in evaluation with the second epsilon what they gave with the first.
fn set_epsilon(weights: &mut StateDict, [from, to]: [f32; 2]) {
    let norms: Vec<String> = weights
        .shapes()
        .filter_map(|(name, _)| Some(name.strip_suffix(".running_var")?.to_owned()))
        .collect();
    for norm in norms {
        let variance = weights.values(&format!("{norm}.running_var")).map(<[f32]>::to_vec);
        let name = format!("{norm}.weight");
        let (Some(variance), Some((shape, mut scale))) = (variance, weights.take(&name)) else { continue };
        scale.iter_mut().zip(&variance).for_each(|(scale, variance)| {
            *scale *= ((variance + to) / (variance + from)).sqrt();
        });
        weights.insert(&name, &shape, scale);
    }
}

/// Stage and place in it of a block that is counted through all stages.
fn stage_of(block: usize, stages: &[usize]) -> Option<[usize; 2]> {
    let mut first = 0;
    stages.iter().enumerate().find_map(|(stage, blocks)| {
        let place = [stage, block.checked_sub(first)?];
        first += blocks;
        (place[1] < *blocks).then_some(place)
    })
}

/// A convolution, or the batch norm after it, as torchvision numbers them in a sequence, by timm's names for the two.
fn conv_or_norm<'a>(member: &str, conv: &'a str, norm: &'a str) -> Option<&'a str> {
    match member {
        "0" => Some(conv),
        "1" => Some(norm),
        _ => None,
    }
}

/// Layers of a block with `convolutions` of them, by timm's names for each convolution and its norm.
fn block_layer(convolutions: usize, at: usize) -> Option<[&'static str; 2]> {
    let layers: &[[&str; 2]] = match convolutions {
        2 => &[["conv_dw", "bn1"], ["conv_pw", "bn2"]],
        3 => &[["conv_pw", "bn1"], ["conv_dw", "bn2"], ["conv_pwl", "bn3"]],
        _ => &[],
    };
    layers.get(at).copied()
}

fn mobilenet_v2(name: &str) -> Option<String> {
    let steps: Vec<&str> = name.split('.').collect();
    Some(match *steps.as_slice() {
        ["features", "0", member, tensor] => {
            format!("{}.{tensor}", conv_or_norm(member, "conv_stem", "bn1")?)
        }
        ["features", "18", member, tensor] => {
            format!("{}.{tensor}", conv_or_norm(member, "conv_head", "bn2")?)
        }
        ["classifier", "1", tensor] => format!("classifier.{tensor}"),
        ["features", block, "conv", ref layer @ .., tensor] => {
            let block: usize = block.parse().ok()?;
            let [stage, place] = stage_of(block.checked_sub(1)?, &MOBILENET_V2)?;
            // The first block has no expansion.
            let layers = if block == 1 { 2 } else { 3 };
            let (at, member) = match *layer {
                [at, member] => (at.parse().ok()?, member),
                // The last convolution and its norm are members of the sequence themselves.
                [at] if at.parse() == Ok(layers - 1) => (layers - 1, "0"),
                [_] => (layers - 1, "1"),
                _ => return None,
            };
            let [conv, norm] = block_layer(layers, at)?;
            format!("blocks.{stage}.{place}.{}.{tensor}", conv_or_norm(member, conv, norm)?)
        }
        _ => return None,
    })
}

fn mobilenet_v3(name: &str, names: &BTreeSet<String>) -> Option<String> {
    let steps: Vec<&str> = name.split('.').collect();
    Some(match *steps.as_slice() {
        ["features", "0", member, tensor] => {
            format!("{}.{tensor}", conv_or_norm(member, "conv_stem", "bn1")?)
        }
        ["features", "16", member, tensor] => {
            format!("blocks.6.0.{}.{tensor}", conv_or_norm(member, "conv", "bn1")?)
        }
        ["features", block, "block", ref layer @ .., tensor] => {
            let [stage, place] = stage_of(block.parse::<usize>().ok()?.checked_sub(1)?, &MOBILENET_V3)?;
            let layer = layer_of_block(&format!("features.{block}.block"), layer, names)?;
            format!("blocks.{stage}.{place}.{layer}.{tensor}")
        }
        ["classifier", "0", tensor] => format!("conv_head.{tensor}"),
        ["classifier", "3", tensor] => format!("classifier.{tensor}"),
        _ => return None,
    })
}

fn efficientnet(name: &str, names: &BTreeSet<String>) -> Option<String> {
    let steps: Vec<&str> = name.split('.').collect();
    Some(match *steps.as_slice() {
        ["features", "0", member, tensor] => {
            format!("{}.{tensor}", conv_or_norm(member, "conv_stem", "bn1")?)
        }
        ["features", "8", member, tensor] => {
            format!("{}.{tensor}", conv_or_norm(member, "conv_head", "bn2")?)
        }
        ["classifier", "1", tensor] => format!("classifier.{tensor}"),
        ["features", stage, place, "block", ref layer @ .., tensor] => {
            let layer = layer_of_block(&format!("features.{stage}.{place}.block"), layer, names)?;
            let stage = stage.parse::<usize>().ok()?.checked_sub(1)?;
            format!("blocks.{stage}.{place}.{layer}.{tensor}")
        }
        _ => return None,
    })
}

/// timm's name of a layer of the inverted residual block that torchvision has as the sequence `block`.
fn layer_of_block(block: &str, layer: &[&str], names: &BTreeSet<String>) -> Option<String> {
    let &[at, member] = layer else { return None };
    match member {
        "fc1" => return Some("se.conv_reduce".to_owned()),
        "fc2" => return Some("se.conv_expand".to_owned()),
        _ => {}
    }
    let at: usize = at.parse().ok()?;
    let is_conv = |at: &usize| names.contains(&format!("{block}.{at}.0.weight"));
    let convolutions = (0..4).filter(is_conv).count();
    let [conv, norm] = block_layer(convolutions, (0..at).filter(is_conv).count())?;
    conv_or_norm(member, conv, norm).map(str::to_owned)
}

fn regnet(name: &str) -> Option<String> {
    let steps: Vec<&str> = name.split('.').collect();
    Some(match *steps.as_slice() {
        ["stem", member, tensor] => format!("stem.{}.{tensor}", conv_or_norm(member, "conv", "bn")?),
        ["fc", tensor] => format!("head.fc.{tensor}"),
        ["trunk_output", stage, block, ref layer @ .., tensor] => {
            let stage = stage.strip_prefix("block")?;
            let place: usize = block.rsplit_once('-')?.1.parse().ok()?;
            let block = format!("s{stage}.b{}", place + 1);
            match *layer {
                ["f", "se", linear] => format!("{block}.se.{linear}.{tensor}"),
                ["proj", member] => {
                    format!("{block}.downsample.{}.{tensor}", conv_or_norm(member, "conv", "bn")?)
                }
                ["f", part, member] => {
                    let conv = 1 + ["a", "b", "c"].iter().position(|known| *known == part)?;
                    format!("{block}.conv{conv}.{}.{tensor}", conv_or_norm(member, "conv", "bn")?)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn convnext(name: &str) -> Option<String> {
    let steps: Vec<&str> = name.split('.').collect();
    Some(match *steps.as_slice() {
        ["features", "0", member, tensor] => format!("stem.{member}.{tensor}"),
        ["classifier", "0", tensor] => format!("head.norm.{tensor}"),
        ["classifier", "2", tensor] => format!("head.fc.{tensor}"),
        // Stages and the layers between them take turns.
        ["features", part, place, ref layer @ ..] => {
            let part: usize = part.parse().ok()?;
            match *layer {
                ["layer_scale"] => format!("stages.{}.blocks.{place}.gamma", part / 2),
                ["block", member, tensor] => {
                    let layer = match member {
                        "0" => "conv_dw",
                        "2" => "norm",
                        "3" => "mlp.fc1",
                        "5" => "mlp.fc2",
                        _ => return None,
                    };
                    format!("stages.{}.blocks.{place}.{layer}.{tensor}", part / 2)
                }
                [tensor] => format!("stages.{}.downsample.{place}.{tensor}", part / 2),
                _ => return None,
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{Architecture, Init, NetworkSpec};

    fn network(architecture: Architecture) -> Network {
        pooled(architecture, Pooling::Average)
    }

    fn pooled(architecture: Architecture, pooling: Pooling) -> Network {
        let spec = NetworkSpec { architecture, classes: 3, side: 64, dropout: 0.0, pooling };
        spec.build(Init::Default, 1, &Device::flex()).unwrap()
    }

    #[test]
    fn every_tensor_has_a_name_of_its_own_in_timm() {
        for (architecture, own, timm) in [
            (Architecture::MobileNetV2, "features.17.conv.2.weight", "blocks.6.0.conv_pwl.weight"),
            (Architecture::MobileNetV2, "features.1.conv.2.running_mean", "blocks.0.0.bn2.running_mean"),
            (Architecture::MobileNetV3Large, "features.4.block.2.fc2.bias", "blocks.2.0.se.conv_expand.bias"),
            (Architecture::MobileNetV3Large, "features.15.block.3.0.weight", "blocks.5.2.conv_pwl.weight"),
            (Architecture::EfficientNetB0, "features.1.0.block.2.1.bias", "blocks.0.0.bn2.bias"),
            (
                Architecture::RegNetY800Mf,
                "trunk_output.block3.block3-7.f.b.1.weight",
                "s3.b8.conv2.bn.weight",
            ),
            (Architecture::ConvNextTiny, "features.5.8.block.3.bias", "stages.2.blocks.8.mlp.fc1.bias"),
            (Architecture::ConvNextTiny, "features.6.1.weight", "stages.3.downsample.1.weight"),
        ] {
            let names = network(architecture).timm_names().unwrap();
            assert_eq!(names[own], timm, "{architecture}");
            assert_eq!(names.values().collect::<BTreeSet<_>>().len(), names.len(), "{architecture}");
        }
    }

    #[test]
    fn weights_under_timm_s_names_and_a_prefix_are_found() {
        let network = network(Architecture::RegNetY800Mf);
        let weights = network.state_dict();
        let names = network.timm_names().unwrap();
        let mut given = StateDict::default();
        for (own, timm) in &names {
            let values = weights.values(own).unwrap().to_vec();
            given.insert(&format!("module.{timm}"), weights.shape(own).unwrap(), values);
        }
        // A GeM pool, which timm does not have, changes nothing.
        for network in [&network, &pooled(Architecture::RegNetY800Mf, Pooling::Gem)] {
            let named = network.name_weights(given.clone()).unwrap();
            assert_eq!((named.prefix.as_str(), &named.weights), ("module.", &weights));
        }
    }

    #[test]
    fn a_norm_gives_the_same_with_another_epsilon() {
        let mut weights = StateDict::default();
        weights.insert("bn.weight", &[2], vec![1.5, -2.0]);
        weights.insert("bn.running_var", &[2], vec![0.0, 0.25]);
        set_epsilon(&mut weights, EPSILONS);
        for (found, (scale, variance)) in
            weights.values("bn.weight").unwrap().iter().zip([(1.5_f64, 0.0_f64), (-2.0, 0.25)])
        {
            let before = scale / (variance + 1e-5).sqrt();
            let after = f64::from(*found) / (variance + 1e-3).sqrt();
            assert!((before - after).abs() < 1e-5 * before.abs(), "{after} for {before}");
        }
    }
}
