//! Weights of another training as the first weights of a network, whatever classes they were trained for.

use crate::{Network, Pooling, StateDict, StateDictError};

/// A network with the weights of another training.
#[derive(Debug)]
pub struct Fitted {
    /// The network.
    pub network: Network,
    /// What became of its last layer.
    pub head: HeadFit,
}

/// What became of the layer that gives the logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadFit {
    /// It is the file's: as many classes.
    Taken,
    /// It is re-initialised: the file's layer has another number of classes, given here, or the file has no such layer.
    Replaced {
        /// The file's classes.
        classes: Option<usize>,
    },
}

impl Network {
    /// The network with these weights, [named](Network::name_weights) as it names them. A last layer for another number of
    /// classes, or none, leaves the network's own in its place, and so does a missing power of a GeM pool; all other tensors
    /// must be there, and no others.
    ///
    /// # Errors
    /// [`StateDictError::Mismatch`] names every tensor that is missing, left over or of another shape,
    /// [`StateDictError::NotFinite`] one with values that are no numbers.
    pub fn load_partial(self, weights: &StateDict) -> Result<Fitted, StateDictError> {
        let mut weights = self.name_weights(weights.clone())?.weights;
        weights.check_finite()?;
        let prefix = self.head_prefix();
        let own = self.state_dict();
        // Published networks have average pools.
        if let (None, Some(power)) = (weights.shape(Pooling::POWER), own.values(Pooling::POWER)) {
            weights.insert(Pooling::POWER, &[power.len()], power.to_vec());
        }
        let weight = format!("{prefix}.weight");
        if own.shape(&weight) == weights.shape(&weight) {
            return Ok(Fitted { network: self.with_state_dict(weights)?, head: HeadFit::Taken });
        }
        let classes = weights.shape(&weight).and_then(|shape| shape.first().copied());
        let weights = weights.with_module_of(&own, &prefix);
        Ok(Fitted { network: self.with_state_dict(weights)?, head: HeadFit::Replaced { classes } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Init, NetworkSpec};
    use burn::tensor::Device;

    fn network(classes: usize, seed: u64) -> Network {
        pooled(classes, seed, Pooling::Average)
    }

    fn pooled(classes: usize, seed: u64, pooling: Pooling) -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ResNet10Small,
            classes,
            side: 32,
            dropout: 0.0,
            pooling,
        };
        spec.build(Init::Default, seed, &Device::flex()).unwrap()
    }

    #[test]
    fn weights_for_as_many_classes_are_taken_whole() {
        let given = network(3, 1).state_dict();
        let fitted = network(3, 2).load_partial(&given).unwrap();
        assert_eq!(fitted.head, HeadFit::Taken);
        assert_eq!(fitted.network.state_dict(), given);
    }

    #[test]
    fn a_head_for_other_classes_or_none_is_left_as_it_began_and_all_else_is_taken() {
        let (own, given) = (network(3, 1).state_dict(), network(5, 2).state_dict());
        let headless = given.clone().with_module_of(&StateDict::default(), "fc");
        for (given, classes) in [(&given, Some(5)), (&headless, None)] {
            let fitted = network(3, 1).load_partial(given).unwrap();
            assert_eq!(fitted.head, HeadFit::Replaced { classes });
            let found = fitted.network.state_dict();
            for (name, _) in own.shapes() {
                let from = if name.starts_with("fc.") { &own } else { given };
                assert_eq!(found.values(name), from.values(name), "{name}");
            }
        }
    }

    #[test]
    fn a_gem_pool_begins_with_its_own_power_where_the_weights_have_none_and_else_with_theirs() {
        let mut given = pooled(5, 2, Pooling::Average).state_dict();
        let power = |given: &StateDict| {
            let fitted = pooled(5, 1, Pooling::Gem).load_partial(given).unwrap();
            assert_eq!(fitted.head, HeadFit::Taken);
            let found = fitted.network.state_dict();
            assert_eq!(found.values("layer4.0.conv1.weight"), given.values("layer4.0.conv1.weight"));
            found.values(Pooling::POWER).unwrap().to_vec()
        };
        assert_eq!(power(&given), [3.0]);
        given.insert(Pooling::POWER, &[1], vec![4.5]);
        assert_eq!(power(&given), [4.5]);
    }

    #[test]
    fn weights_that_lack_anything_but_the_head_are_refused_by_name() {
        let lacking = network(5, 2).state_dict().with_module_of(&StateDict::default(), "conv1");
        let message = network(3, 1).load_partial(&lacking).unwrap_err().to_string();
        assert!(message.contains("missing: conv1.weight") && !message.contains("fc."), "{message}");
    }
}
