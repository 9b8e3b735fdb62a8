//! The position of a traversal of a network, and what it counts.

use std::collections::{BTreeMap, HashMap};

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
        let name = match (container, self.containers.last(), self.names.last()) {
            // The variant of an enum is not part of a tensor's name.
            _ if container.starts_with("Enum:") => String::new(),
            // torchvision calls the blocks of a RegNet's `block1` by that name and a number: `block1.block1-0`.
            ("Vec", Some(parent), Some(stage)) if parent == "Struct:Trunk" => format!("{stage}-{name}"),
            _ => member_of_sequence(name).unwrap_or(name).to_owned(),
        };
        self.containers.push(container.to_owned());
        self.names.push(name);
    }

    pub(crate) fn exit(&mut self) {
        self.names.pop();
        self.containers.pop();
    }

    /// The current tensor's name in torchvision, such as `layer1.0.bn1.weight`.
    pub(crate) fn name(&self) -> String {
        self.names.iter().filter(|n| !n.is_empty()).map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// Whether the current tensor is a batch norm's running statistic: kept, but not learned.
    pub(crate) fn is_statistic(&self) -> bool {
        self.names.last().is_some_and(|name| name.starts_with("running_"))
    }

    /// Whether the current tensor or flag is a batch norm's.
    pub(crate) fn is_of_batch_norm(&self) -> bool {
        self.containers.last().is_some_and(|container| container == "Struct:BatchNorm")
    }

    /// The layer of the current tensor.
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
    /// How many values training learns, as PyTorch counts parameters: batch norm's running statistics are not among
    /// them, which Burn's `num_params` counts too.
    pub fn parameter_count(&self) -> usize {
        let learned = self.tensors().into_iter().filter(|tensor| !tensor.is_statistic);
        learned.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }

    /// The shapes of all tensors by their names in the state dict, as torchvision has them.
    pub fn tensor_shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors().into_iter().map(|tensor| (tensor.name, tensor.shape)).collect()
    }

    /// The names of all tensors in the state dict, by their parameters' ids.
    pub(crate) fn tensor_names(&self) -> HashMap<ParamId, String> {
        self.tensors().into_iter().map(|tensor| (tensor.id, tensor.name)).collect()
    }

    /// All tensors, in the order of the layers from the photo to the logits.
    pub(crate) fn tensors(&self) -> Vec<TensorInfo> {
        let mut lister = Lister::default();
        self.visit(&mut lister);
        lister.found
    }
}

/// What is known of a tensor without its values.
pub(crate) struct TensorInfo {
    pub(crate) id: ParamId,
    pub(crate) name: String,
    /// In torchvision's layout.
    pub(crate) shape: Vec<usize>,
    /// Whether it is measured, not learned.
    pub(crate) is_statistic: bool,
    pub(crate) of_batch_norm: bool,
}

#[derive(Default)]
struct Lister {
    place: Place,
    found: Vec<TensorInfo>,
}

impl ModuleVisitor for Lister {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        if self.place.layer() == LayerKind::Linear {
            shape.reverse();
        }
        let (is_statistic, of_batch_norm) = (self.place.is_statistic(), self.place.is_of_batch_norm());
        self.found.push(TensorInfo {
            id: param.id,
            name: self.place.name(),
            shape,
            is_statistic,
            of_batch_norm,
        });
    }
}
