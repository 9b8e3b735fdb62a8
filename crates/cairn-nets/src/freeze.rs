//! The parameters of a network, and freezing some of them.

use burn::module::{Flag, Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use crate::network::Network;
use crate::parameters::{Place, TensorInfo};

/// A tensor that training can change. Batch norm's running statistics are none: they are measured, not learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name in torchvision, such as `layer1.0.bn1.weight`.
    pub name: String,
    /// What gradients and an optimiser's state are filed under.
    pub id: ParamId,
    /// How many axes it has: 1 for biases and for weights of norms, 2 for linear layers, 4 for convolutions.
    pub axes: usize,
    /// Whether it is a batch norm's scale or shift.
    pub of_batch_norm: bool,
}

impl Network {
    /// All parameters, in the order of the layers from the photo to the logits.
    pub fn parameters(&self) -> Vec<Parameter> {
        let learned = self.tensors().into_iter().filter(|tensor| !tensor.is_statistic);
        learned
            .map(|TensorInfo { id, name, shape, of_batch_norm, .. }| Parameter {
                name,
                id,
                axes: shape.len(),
                of_batch_norm,
            })
            .collect()
    }

    /// Freezes all parameters but those whose names `learns` accepts. No gradient is computed for frozen parameters, nor
    /// for the layers before the first that learns.
    ///
    /// A batch norm whose scale is frozen normalises by its running statistics, and keeps them, in training too.
    #[must_use]
    pub fn freeze_except(self, learns: impl Fn(&str) -> bool) -> Self {
        self.map(&mut Selector { place: Place::default(), learns })
    }
}

struct Selector<L> {
    place: Place,
    learns: L,
}

impl<L: Fn(&str) -> bool> ModuleMapper for Selector<L> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.place.is_statistic() {
            return param;
        }
        let learns = (self.learns)(&self.place.name());
        param.set_require_grad(learns)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        // Only a batch norm's: dropout is no parameter's business.
        if !self.place.is_of_batch_norm() {
            return flag;
        }
        let name = self.place.name();
        let layer = name.strip_suffix(".training").unwrap_or(&name);
        let learns = (self.learns)(&format!("{layer}.weight"));
        flag.with_value(learns)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::GradientsParams;
    use burn::tensor::Device;

    use super::*;
    use crate::{Architecture, Init, NetworkSpec, Pooling, Precision, StateDict};

    fn network() -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ResNet10Small,
            classes: 3,
            side: 32,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::He, 1, &Device::flex()).unwrap().train()
    }

    /// Names with a gradient after a backward pass, and the state dict, settled, after the forward pass.
    fn trained(network: &Network) -> (Vec<String>, StateDict) {
        let device = Device::flex().autodiff();
        let images = Tensor::<4>::ones([2, 3, 32, 32], &device);
        let logits = network.forward(images, Precision::F32);
        let mut gradients = GradientsParams::from_grads(logits.slice([0..2, 0..1]).sum().backward(), network);
        let mut names = Vec::new();
        for Parameter { name, id, axes, .. } in network.parameters() {
            let found = match axes {
                1 => gradients.remove::<1>(id).is_some(),
                2 => gradients.remove::<2>(id).is_some(),
                _ => gradients.remove::<4>(id).is_some(),
            };
            if found {
                names.push(name);
            }
        }
        (names, network.valid().state_dict())
    }

    #[test]
    fn parameters_come_in_the_order_of_the_layers_with_their_axes() {
        let parameters = network().parameters();
        let first: Vec<_> = parameters.iter().take(3).map(|p| (&*p.name, p.axes, p.of_batch_norm)).collect();
        assert_eq!(first, [("conv1.weight", 4, false), ("bn1.weight", 1, true), ("bn1.bias", 1, true)]);
        let last: Vec<_> = parameters.iter().rev().take(2).map(|p| (&*p.name, p.axes)).collect();
        assert_eq!(last, [("fc.bias", 1), ("fc.weight", 2)]);
    }

    #[test]
    fn only_what_learns_has_gradients_and_only_its_batch_norms_measure() {
        let network = network().freeze_except(|name| name.starts_with("layer4") || name.starts_with("fc"));
        let before = network.valid().state_dict();
        let (names, after) = trained(&network);
        assert!(names.iter().all(|name| name.starts_with("layer4") || name.starts_with("fc")), "{names:?}");
        assert!(names.contains(&"layer4.0.conv1.weight".to_owned()), "{names:?}");
        let measured = |layer: &str| {
            let name = format!("{layer}.running_var");
            before.values(&name) != after.values(&name)
        };
        assert!(!measured("bn1") && !measured("layer3.0.bn2") && measured("layer4.0.bn1"));
    }

    #[test]
    fn what_was_frozen_learns_again_when_it_is_accepted() {
        let everything = trained(&network()).0;
        let network = network().freeze_except(|name| name.starts_with("fc"));
        assert_eq!(trained(&network).0, ["fc.weight", "fc.bias"]);
        assert_eq!(trained(&network.freeze_except(|_| true)).0, everything);
    }
}
