//! From the names in a file to those of a network.
//!
//! Training scripts put a network into another module, which gives every name a prefix (`model.`, `module.`,
//! `_orig_mod.backbone.`), keep losses and counters beside it, and put a dropout before the last layer
//! (`fc.1.weight`). Which prefix it is follows from the network's own names.

use std::collections::{BTreeMap, BTreeSet};

use super::error::NamingError;
use crate::{Network, Pooling, StateDict};

/// Weights by a network's names.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The weights. Those that the network does not have are still among them, unless they are ignored.
    pub weights: StateDict,
    /// What was taken off the names, with its last dot; empty if nothing was.
    pub prefix: String,
    /// Names of tensors outside of the network, which were left out.
    pub ignored: Vec<String>,
    /// The module that was taken for the last layer, where the file calls that otherwise, such as `fc.1`.
    pub head: Option<String>,
}

impl Network {
    /// Brings a file's names to this network's.
    ///
    /// The prefix is the one that makes the names of all layers but the last fit. Of several, a running mean of the weights
    /// (`ema`) is taken first. A tensor is ignored if it is outside of the prefix, or in a module beside the network's own
    /// (`criterion.weight`); a surplus tensor within the network's modules is not, since it is a sign of another network.
    /// timm's names of a network that torchvision has, too, become torchvision's.
    ///
    /// # Errors
    /// [`NamingError::SeveralNetworks`] when several prefixes fit.
    pub fn name_weights(&self, weights: StateDict) -> Result<Named, NamingError> {
        let names: BTreeSet<String> = self.tensor_shapes().into_keys().collect();
        let head = self.head_prefix();
        let (weights, prefix) = self.known_names(&names, &head, weights)?;
        let modules: BTreeSet<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
        let (mut named, mut ignored) = (BTreeMap::new(), Vec::new());
        for (name, tensor) in weights.into_tensors() {
            let own = name.strip_prefix(&prefix).and_then(|own| Some((own, own.split('.').next()?)));
            match own {
                // Numbers are the members of a sequence, and one more of them is another network.
                Some((own, module)) if modules.contains(module) || is_number(module) => {
                    named.insert(own.to_owned(), tensor);
                }
                _ => ignored.push(name),
            }
        }
        let mut weights = StateDict::of_tensors(named);
        let renamed = single_layer(&names, &head, &weights);
        if let Some(found) = &renamed {
            weights.rename_module(found, &head);
        }
        Ok(Named { weights, prefix, ignored, head: renamed })
    }
}

impl Network {
    /// The weights under torchvision's names where they had timm's, and what is before the names.
    fn known_names(
        &self,
        names: &BTreeSet<String>,
        head: &str,
        weights: StateDict,
    ) -> Result<(StateDict, String), NamingError> {
        let prefix = fitting_prefix(names, head, &weights)?;
        let Some(timm) = self.timm_names() else { return Ok((weights, prefix)) };
        let fits = |prefix: &str, names: &mut dyn Iterator<Item = &String>| {
            names.filter(|name| weights.shape(&format!("{prefix}{name}")).is_some()).count()
        };
        let timm_head = timm.get(&format!("{head}.weight")).and_then(|name| name.strip_suffix(".weight"));
        let timm_names: BTreeSet<String> = timm.values().cloned().collect();
        let timm_prefix = fitting_prefix(&timm_names, timm_head.unwrap_or_default(), &weights)?;
        if fits(&timm_prefix, &mut timm_names.iter()) > fits(&prefix, &mut names.iter()) {
            return Ok((self.renamed_from_timm(weights, &timm, &timm_prefix), timm_prefix));
        }
        Ok((weights, prefix))
    }
}

fn is_number(module: &str) -> bool {
    !module.is_empty() && module.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `name` is in the module `path`.
fn is_within(name: &str, path: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// What the names of all layers but the `head` begin with in the file. Where no prefix makes all of them fit, the one that
/// most fit with: it is what a list of the missing ones should be about.
fn fitting_prefix(names: &BTreeSet<String>, head: &str, weights: &StateDict) -> Result<String, NamingError> {
    // Files of networks with an average pool have no power.
    let in_body = |name: &&String| !is_within(name, head) && *name != Pooling::POWER;
    let body: Vec<&String> = names.iter().filter(in_body).collect();
    let Some(first) = body.first() else { return Ok(String::new()) };
    let prefixes = weights.shapes().filter_map(|(name, _)| name.strip_suffix(first.as_str()));
    let prefixes = prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.'));
    let counted: Vec<(&str, usize)> = prefixes
        .map(|prefix| {
            let fits = |name: &&&String| weights.shape(&format!("{prefix}{name}")).is_some();
            (prefix, body.iter().filter(fits).count())
        })
        .collect();
    let whole: Vec<&str> =
        counted.iter().filter(|(_, count)| *count == body.len()).map(|(prefix, _)| *prefix).collect();
    let means: Vec<&str> = whole.iter().copied().filter(|prefix| prefix.contains("ema")).collect();
    match (whole.as_slice(), means.as_slice()) {
        (whole, _) if whole.contains(&"") => Ok(String::new()),
        ([only], _) | (_, [only]) => Ok((*only).to_owned()),
        ([], _) => {
            let best = counted.iter().max_by_key(|(_, count)| *count);
            Ok(best
                .filter(|(_, count)| 2 * count > body.len())
                .map_or_else(String::new, |(p, _)| (*p).to_owned()))
        }
        (several, _) => {
            Err(NamingError::SeveralNetworks { prefixes: several.iter().map(ToString::to_string).collect() })
        }
    }
}

/// The module that is the last layer in the file, where that lacks the network's `head`: the only layer with weights in a
/// sequence of that name (`fc.1` for `fc`), or in the place of the sequence that the head is the last of
/// (`classifier` or `classifier.0` for `classifier.1`).
fn single_layer(names: &BTreeSet<String>, head: &str, weights: &StateDict) -> Option<String> {
    if weights.shape(&format!("{head}.weight")).is_some() {
        return None;
    }
    let sequence = head.rsplit_once('.').filter(|(path, number)| {
        is_number(number) && names.iter().all(|name| !is_within(name, path) || is_within(name, head))
    });
    let region = sequence.map_or(head, |(path, _)| path);
    let inside = weights.shapes().map(|(name, _)| name).filter(|name| is_within(name, region));
    let modules: BTreeSet<&str> = inside.filter_map(|name| Some(name.rsplit_once('.')?.0)).collect();
    let mut modules = modules.into_iter();
    let only = modules.next().filter(|module| weights.shape(&format!("{module}.weight")).is_some())?;
    modules.next().is_none().then(|| only.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Init, NetworkSpec};
    use burn::tensor::Device;

    fn network(architecture: Architecture) -> Network {
        let spec =
            NetworkSpec { architecture, classes: 3, side: 64, dropout: 0.0, pooling: Pooling::Average };
        spec.build(Init::Default, 1, &Device::flex()).unwrap()
    }

    /// The weights with every name changed.
    fn renamed(weights: &StateDict, rename: impl Fn(&str) -> String) -> StateDict {
        let mut changed = StateDict::default();
        for (name, shape) in weights.shapes() {
            changed.insert(&rename(name), shape, weights.values(name).unwrap().to_vec());
        }
        changed
    }

    #[test]
    fn any_prefix_that_makes_every_name_fit_is_taken_off() {
        let network = network(Architecture::ResNet10Small);
        let weights = network.state_dict();
        for prefix in ["", "model.", "module._orig_mod.", "lit.inner.backbone.0.", "conv1."] {
            let named = network.name_weights(renamed(&weights, |name| format!("{prefix}{name}"))).unwrap();
            assert_eq!((named.prefix.as_str(), &named.weights), (prefix, &weights));
            assert!(named.ignored.is_empty() && named.head.is_none(), "{named:?}");
        }
    }

    #[test]
    fn tensors_beside_the_network_are_ignored_by_name_and_surplus_ones_within_it_are_not() {
        let network = network(Architecture::ResNet10Small);
        let mut weights = renamed(&network.state_dict(), |name| format!("model.{name}"));
        weights.insert("criterion.weight", &[3], vec![1.0; 3]);
        weights.insert("n_averaged", &[], vec![1.0]);
        weights.insert("model.auxiliary.weight", &[1], vec![1.0]);
        weights.insert("model.layer1.7.conv1.weight", &[1], vec![1.0]);
        let named = network.name_weights(weights).unwrap();
        assert_eq!(named.ignored, ["criterion.weight", "model.auxiliary.weight", "n_averaged"]);
        let error = network.with_state_dict(named.weights).unwrap_err().to_string();
        assert!(error.contains("layer1.7.conv1.weight") && !error.contains("model."), "{error}");
    }

    #[test]
    fn a_member_more_of_a_sequence_is_another_network() {
        let network = network(Architecture::ThreeConv);
        let mut weights = network.state_dict();
        weights.insert("99.weight", &[1], vec![1.0]);
        let named = network.name_weights(weights).unwrap();
        assert!(named.ignored.is_empty(), "{named:?}");
    }

    #[test]
    fn of_two_networks_in_one_file_the_running_mean_is_taken_or_a_choice_asked_for() {
        let network = network(Architecture::ResNet10Small);
        let weights = network.state_dict();
        let two = |other: &str| {
            let mut both = renamed(&weights, |name| format!("model.{name}"));
            for (name, shape) in weights.shapes() {
                let values = weights.values(name).unwrap().to_vec();
                both.insert(&format!("{other}{name}"), shape, values);
            }
            both
        };
        assert_eq!(network.name_weights(two("ema_model.")).unwrap().prefix, "ema_model.");
        let error = network.name_weights(two("target.")).unwrap_err().to_string();
        assert!(error.contains("`model`, `target`") && error.contains("import --key"), "{error}");
    }

    #[test]
    fn the_only_layer_of_a_sequence_is_the_last_layer() {
        for (architecture, from, to) in [
            (Architecture::ResNet10Small, "fc.", "fc.1."),
            (Architecture::MobileNetV2, "classifier.1.", "classifier."),
            (Architecture::MobileNetV2, "classifier.1.", "classifier.0.2."),
        ] {
            let network = network(architecture);
            let weights = network.state_dict();
            let given = renamed(&weights, |name| match name.strip_prefix(from) {
                Some(rest) => format!("{to}{rest}"),
                None => name.to_owned(),
            });
            let named = network.name_weights(given).unwrap();
            assert_eq!(named.head.as_deref(), Some(to.trim_end_matches('.')));
            assert_eq!(named.weights, weights);
        }
        // Two layers are no last layer.
        let network = network(Architecture::ResNet10Small);
        let mut given = network.state_dict();
        given.rename_module("fc", "fc.0");
        given.insert("fc.2.weight", &[1], vec![1.0]);
        assert_eq!(network.name_weights(given).unwrap().head, None);
    }
}
