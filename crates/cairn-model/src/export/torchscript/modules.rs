//! The modules that hold the tensors, as the dots in the tensors' names nest them.

use crate::export::ExportError;
use crate::export::weights::{Stored, byte_values, bytes};

/// The namespace of the modules' classes.
pub(super) const NAMESPACE: &str = "__torch__.cairn";

/// A module: tensors and modules by name, in the order of the network.
#[derive(Debug)]
pub(super) struct Module {
    /// The name of its class.
    pub(super) class: String,
    pub(super) tensors: Vec<Tensor>,
    pub(super) children: Vec<(String, Module)>,
}

/// A tensor of a module.
#[derive(Debug)]
pub(super) struct Tensor {
    /// Its name in the module, such as `weight`.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    /// Its elements, little-endian, row-major.
    pub(super) bytes: Vec<u8>,
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Half,
    Char,
}

impl Kind {
    /// The class of its storage.
    pub(super) fn storage(self) -> &'static str {
        match self {
            Self::Float => "FloatStorage",
            Self::Half => "HalfStorage",
            Self::Char => "CharStorage",
        }
    }
}

impl Tensor {
    /// Whether it is one of the module's parameters: what may be trained on. The others are its buffers.
    pub(super) fn is_parameter(&self) -> bool {
        self.kind == Kind::Float && matches!(self.name.as_str(), "weight" | "bias")
    }
}

impl Module {
    pub(super) fn new(class: String) -> Self {
        Self { class, tensors: Vec::new(), children: Vec::new() }
    }

    /// Adds a tensor under its name in the state dict, `layer1.0.conv1.weight`, as it is stored.
    pub(super) fn insert(&mut self, path: &str, shape: &[usize], stored: Stored) -> Result<(), ExportError> {
        let (modules, name) = path.rsplit_once('.').map_or((None, path), |(way, name)| (Some(way), name));
        let mut module = self;
        for step in modules.into_iter().flat_map(|way| way.split('.')) {
            if module.tensors.iter().any(|tensor| tensor.name == step) {
                return Err(ExportError::Name(path.to_owned()));
            }
            module = module.child(step);
        }
        if module.children.iter().any(|(child, _)| child == name) {
            return Err(ExportError::Name(path.to_owned()));
        }
        let mut add = |name: String, kind, shape: &[usize], bytes| {
            module.tensors.push(Tensor { name, kind, shape: shape.to_vec(), bytes });
        };
        match stored {
            Stored::F32(bytes) => add(name.to_owned(), Kind::Float, shape, bytes),
            Stored::F16(bytes) => add(name.to_owned(), Kind::Half, shape, bytes),
            Stored::Int8(quantised) => {
                add(name.to_owned(), Kind::Char, shape, byte_values(&quantised.values));
                let scales = &quantised.scales;
                add(format!("{name}_scale"), Kind::Float, &[scales.len()], bytes(scales));
            }
        }
        Ok(())
    }

    /// The module called `step` in this one; made if it is not there.
    fn child(&mut self, step: &str) -> &mut Self {
        let place = self.children.iter().position(|(name, _)| name == step).unwrap_or_else(|| {
            // Its way there as an identifier; no network has two modules that differ in underscores alone.
            let class =
                format!("{}__{}", self.class, step.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
            self.children.push((step.to_owned(), Self::new(class)));
            self.children.len() - 1
        });
        &mut self.children[place].1
    }

    /// The module's class with its namespace, as code names it.
    pub(super) fn type_name(&self) -> String {
        format!("{NAMESPACE}.{}", self.class)
    }

    /// How the tensor under this name in the state dict is stored.
    pub(super) fn kind_of(&self, path: &str) -> Option<Kind> {
        self.tensor(path).map(|tensor| tensor.kind)
    }

    /// The tensor under this name in the state dict.
    pub(super) fn tensor(&self, path: &str) -> Option<&Tensor> {
        match path.split_once('.') {
            Some((step, rest)) => {
                self.children.iter().find(|(name, _)| name == step).and_then(|(_, child)| child.tensor(rest))
            }
            None => self.tensors.iter().find(|tensor| tensor.name == path),
        }
    }

    /// Calls `visit` with each tensor, in the order in which pickle and archive number them.
    pub(super) fn each_tensor<E>(&self, visit: &mut impl FnMut(&Tensor) -> Result<(), E>) -> Result<(), E> {
        self.tensors.iter().try_for_each(&mut *visit)?;
        self.children.iter().try_for_each(|(_, child)| child.each_tensor(visit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_both_a_tensors_and_a_modules_is_refused() {
        for names in [["a", "a.b"], ["a.b", "a"], ["a.b.c", "a.b"]] {
            let mut root = Module::new("Classifier".to_owned());
            let inserted = names.map(|name| root.insert(name, &[1], Stored::F32(vec![0; 4])));
            assert!(
                matches!(&inserted, [Ok(()), Err(ExportError::Name(name))] if name == names[1]),
                "{inserted:?}"
            );
        }
    }
}
