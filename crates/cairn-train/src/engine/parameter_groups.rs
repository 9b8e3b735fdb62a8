//! Parameter groups: which parameters learn in an epoch, their learning rate, and their weight decay.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::ParamId;
use cairn_nets::{Network, Parameter, Pooling};

use crate::recipe::{FineTuneRecipe, Recipe};

/// How the optimizer treats one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Treatment {
    /// Factor of the learning rate.
    pub rate: f64,
    /// Whether weight decay applies.
    pub decays: bool,
}

impl Treatment {
    const USUAL: Self = Self { rate: 1.0, decays: true };
}

/// The parameter groups of a network by a recipe. By default all parameters learn and are treated equally.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParameterGroups {
    treatments: BTreeMap<ParamId, Treatment>,
    parameters: Vec<Staged>,
    stages: usize,
    fine_tune: FineTuneRecipe,
}

/// A parameter and the number of stages between it and the logits.
#[derive(Debug, Clone)]
struct Staged {
    parameter: Parameter,
    from_head: usize,
}

impl ParameterGroups {
    pub(crate) fn new(network: &Network, recipe: &Recipe) -> Self {
        let parameters = staged(network.parameters());
        let stages = parameters.iter().map(|p| p.from_head + 1).max().unwrap_or(0);
        let decay_all = recipe.optimiser.decays_biases_and_norms();
        let treatments = parameters
            .iter()
            .map(|Staged { parameter, from_head }| {
                let rate = recipe.fine_tune.layer_decay.powf(*from_head as f64);
                // A power that decays goes past 1, that of the ordinary mean, towards zero.
                let is_power = parameter.name == Pooling::POWER;
                (parameter.id, Treatment { rate, decays: parameter.axes > 1 || decay_all && !is_power })
            })
            .collect();
        Self { treatments, parameters, stages, fine_tune: recipe.fine_tune.clone() }
    }

    pub(crate) fn treatment(&self, id: ParamId) -> Treatment {
        self.treatments.get(&id).copied().unwrap_or(Treatment::USUAL)
    }

    /// Freezes the parameters that do not learn in this epoch, counted from 0, and unfreezes the others.
    pub(crate) fn applied(&self, network: Network, epoch: usize) -> Network {
        let learning = self.fine_tune.learning_stages(epoch, self.stages);
        let names: BTreeSet<&str> = self
            .parameters
            .iter()
            .filter(|p| p.from_head < learning)
            .filter(|p| !(self.fine_tune.frozen_batch_norm && p.parameter.of_batch_norm))
            .map(|p| p.parameter.name.as_str())
            .collect();
        network.freeze_except(|name| names.contains(name))
    }
}

/// Finds each parameter's stage.
///
/// A stage is the parameters under one numbered name: `layer1`, `features.3`, `groups.2`; or a top-level layer without a
/// number, such as `fc`. A norm by itself (`bn1`) belongs to the stage before it.
fn staged(parameters: Vec<Parameter>) -> Vec<Staged> {
    // The stage that each run of equal names begins, and whether there is more in it than a norm.
    let mut runs: Vec<(String, bool)> = Vec::new();
    let mut run_of = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let stage = stage_name(&parameter.name);
        if runs.last().is_none_or(|(last, _)| last != stage) {
            runs.push((stage.to_owned(), false));
        }
        run_of.push(runs.len() - 1);
        if let Some((_, whole)) = runs.last_mut() {
            *whole |= parameter.axes > 1;
        }
    }
    let stage_of_run: Vec<usize> = runs
        .iter()
        .enumerate()
        .scan(0, |stage, (run, (_, whole))| {
            *stage += usize::from(run > 0 && *whole);
            Some(*stage)
        })
        .collect();
    let head = stage_of_run.last().copied().unwrap_or(0);
    let from_head = |run: usize| head - stage_of_run[run];
    parameters
        .into_iter()
        .zip(run_of)
        .map(|(parameter, run)| Staged { parameter, from_head: from_head(run) })
        .collect()
}

/// The name up to its first part that ends in a digit; where none does, without the tensor's own part.
fn stage_name(name: &str) -> &str {
    let Some((layer, _tensor)) = name.rsplit_once('.') else { return name };
    let mut end = 0;
    for part in layer.split('.') {
        end += part.len();
        if part.ends_with(|c: char| c.is_ascii_digit()) {
            return &layer[..end];
        }
        end += 1;
    }
    layer
}

#[cfg(test)]
impl ParameterGroups {
    /// One parameter that is treated so.
    pub(crate) fn of(id: ParamId, treatment: Treatment) -> Self {
        Self { treatments: [(id, treatment)].into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use cairn_nets::{Architecture, Init, NetworkSpec};

    use super::*;

    fn parameters(architecture: Architecture) -> Vec<Parameter> {
        let spec =
            NetworkSpec { architecture, classes: 2, side: 64, dropout: 0.0, pooling: Pooling::Average };
        spec.build(Init::Default, 0, &Device::flex()).unwrap().parameters()
    }

    /// The distance of the parameter of this name from the head, in stages.
    fn from_head(staged: &[Staged], name: &str) -> usize {
        let found = staged.iter().find(|p| p.parameter.name == name);
        found.unwrap_or_else(|| panic!("no {name}")).from_head
    }

    #[test]
    fn the_stages_of_a_resnet_are_its_stem_its_layers_and_its_head() {
        let staged = staged(parameters(Architecture::ResNet18));
        for (name, expected) in [
            ("fc.weight", 0),
            ("fc.bias", 0),
            ("layer4.0.conv1.weight", 1),
            ("layer4.1.bn2.bias", 1),
            ("layer1.0.conv1.weight", 4),
            ("bn1.weight", 5),
            ("conv1.weight", 5),
        ] {
            assert_eq!(from_head(&staged, name), expected, "{name}");
        }
    }

    #[test]
    fn the_stages_of_a_sequence_are_its_members() {
        let staged = staged(parameters(Architecture::MobileNetV2));
        let ends = ["classifier.1.weight", "features.18.1.bias", "features.17.conv.0.0.weight"];
        assert_eq!(ends.map(|name| from_head(&staged, name)), [0, 1, 2]);
        assert_eq!(from_head(&staged, "features.0.0.weight"), 19);
    }

    #[test]
    fn a_norm_between_two_layers_belongs_to_the_one_before_it() {
        let staged = staged(parameters(Architecture::ThreeConv));
        let names = ["fc2.weight", "bn1.weight", "fc1.weight", "conv3.bias", "conv1.weight"];
        assert_eq!(names.map(|name| from_head(&staged, name)), [0, 1, 1, 2, 4]);
    }

    #[test]
    fn names_of_other_networks_have_stages_too() {
        for (name, stage) in [
            ("encoder.layers.encoder_layer_3.mlp.0.weight", "encoder.layers.encoder_layer_3"),
            ("trunk_output.block2.block2-0.proj.0.weight", "trunk_output.block2"),
            ("class_token", "class_token"),
            ("heads.head.weight", "heads.head"),
        ] {
            assert_eq!(stage_name(name), stage);
        }
    }

    #[test]
    fn rates_fall_from_the_head_back_and_only_weights_of_several_axes_decay_where_so_asked() {
        let mut recipe = Recipe::find("demo").unwrap();
        recipe.fine_tune.layer_decay = 0.5;
        recipe.network.pooling = Pooling::Gem;
        recipe.optimiser = crate::OptimiserRecipe::AdamW {
            learning_rate: 1e-3,
            weight_decay: 0.1,
            decay_biases_and_norms: false,
        };
        let network = recipe.network_spec(4).build(Init::He, 0, &Device::flex()).unwrap();
        let groups = ParameterGroups::new(&network, &recipe);
        let treatment = |name: &str| {
            let parameters = network.parameters();
            let id = parameters.iter().find(|p| p.name == name).unwrap().id;
            groups.treatment(id)
        };
        assert_eq!(treatment("fc.weight"), Treatment { rate: 1.0, decays: true });
        assert_eq!(treatment("fc.bias"), Treatment { rate: 1.0, decays: false });
        assert_eq!(treatment("layer3.0.conv1.weight"), Treatment { rate: 0.25, decays: true });
        assert_eq!(treatment("layer3.0.bn1.weight"), Treatment { rate: 0.25, decays: false });
        // A pool belongs to the stage before it.
        assert_eq!(treatment(Pooling::POWER), Treatment { rate: 0.5, decays: false });
    }

    #[test]
    fn the_power_of_a_gem_pool_never_decays() {
        let mut recipe = Recipe::find("demo").unwrap();
        recipe.network.pooling = Pooling::Gem;
        recipe.optimiser = crate::OptimiserRecipe::AdamW {
            learning_rate: 1e-3,
            weight_decay: 0.1,
            decay_biases_and_norms: true,
        };
        let network = recipe.network_spec(4).build(Init::He, 0, &Device::flex()).unwrap();
        let groups = ParameterGroups::new(&network, &recipe);
        for parameter in network.parameters() {
            assert_eq!(groups.treatment(parameter.id).decays, parameter.name != Pooling::POWER);
        }
    }
}
