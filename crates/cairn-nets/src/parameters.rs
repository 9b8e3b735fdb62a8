//! Where a traversal of a network stands, and what it counts.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use crate::network::Network;

/// The kinds of layer whose tensors are treated differently by initialisation or by the state dict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerKind {
    Convolution,
    /// Burn keeps a linear weight as `[inputs, outputs]`, torchvision as `[outputs, inputs]`.
    Linear,
    Other,
}

/// The path of a traversal, kept by its `enter_module` and `exit_module` calls.
#[derive(Debug, Default)]
pub(crate) struct Place {
    names: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        self.containers.push(container.to_owned());
        self.names.push(match container {
            // The variant of an enum is not part of a tensor's name.
            _ if container.starts_with("Enum:") => String::new(),
            _ => member_of_sequence(name).unwrap_or(name).to_owned(),
        });
    }

    pub(crate) fn exit(&mut self) {
        self.names.pop();
        self.containers.pop();
    }

    /// The name of the tensor at hand as torchvision would give it, such as `layer1.0.bn1.weight`.
    pub(crate) fn name(&self) -> String {
        self.names.iter().filter(|n| !n.is_empty()).map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// Whether the tensor at hand is a batch norm's running statistic: kept, but not learned.
    pub(crate) fn is_statistic(&self) -> bool {
        self.names.last().is_some_and(|name| name.starts_with("running_"))
    }

    /// Whether the tensor or flag at hand is a batch norm's.
    pub(crate) fn is_of_batch_norm(&self) -> bool {
        self.containers.last().is_some_and(|container| container == "Struct:BatchNorm")
    }

    /// The layer that holds the tensor at hand.
    pub(crate) fn layer(&self) -> LayerKind {
        match self.containers.last().map(String::as_str) {
            Some("Struct:Conv") => LayerKind::Convolution,
            Some("Struct:Linear") => LayerKind::Linear,
            _ => LayerKind::Other,
        }
    }
}

/// `1` of a field called `bn_1`: torchvision has a sequence there, and numbers its members.
fn member_of_sequence(field: &str) -> Option<&str> {
    let (_, number) = field.rsplit_once('_')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

impl Network {
    /// The names of all tensors in the state dict, by their parameters' ids.
    pub(crate) fn tensor_names(&self) -> HashMap<ParamId, String> {
        let mut names = TensorNames::default();
        self.visit(&mut names);
        names.found
    }

    /// How many values training learns, as PyTorch counts parameters: batch norm's running statistics are not among
    /// them, which Burn's `num_params` counts too.
    pub fn parameter_count(&self) -> usize {
        let mut counter = Counter::default();
        self.visit(&mut counter);
        counter.count
    }
}

#[derive(Default)]
struct Counter {
    place: Place,
    count: usize,
}

impl ModuleVisitor for Counter {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.place.is_statistic() {
            self.count += param.lazy_shape().num_elements();
        }
    }
}

#[derive(Default)]
struct TensorNames {
    place: Place,
    found: HashMap<ParamId, String>,
}

impl ModuleVisitor for TensorNames {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.insert(param.id, self.place.name());
    }
}
