//! Weights by name, in torchvision's naming and layout.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use half::f16;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};

use crate::network::Network;
use crate::parameters::{LayerKind, Place};

/// Every tensor of a network (parameters and batch-norm statistics) by torchvision's names, in torchvision's layouts:
/// convolutions `[outputs, inputs, height, width]`, linear weights `[outputs, inputs]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, NamedTensor>,
}

/// One tensor of a [`StateDict`]: row-major f32 values.
#[derive(Debug, Clone, PartialEq)]
struct NamedTensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Why a state dict cannot be read, or does not fit a network.
#[derive(Debug, thiserror::Error)]
pub enum StateDictError {
    /// Not a safetensors file, or a truncated one.
    #[error("not a readable safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// A tensor of a type that weights are not read from.
    #[error("tensor `{name}` holds {dtype:?}; F32 and F16 are read")]
    Dtype {
        /// The tensor's name.
        name: String,
        /// What it holds.
        dtype: Dtype,
    },
    /// Tensors are missing, left over or of another shape.
    #[error("the weights do not fit this network:{}", list(.missing, .surplus, .mismatched))]
    Mismatch {
        /// Names that the network has and the weights lack.
        missing: Vec<String>,
        /// Names that the weights have and the network lacks.
        surplus: Vec<String>,
        /// Names with both shapes.
        mismatched: Vec<String>,
    },
}

fn list(missing: &[String], surplus: &[String], mismatched: &[String]) -> String {
    let parts = [("missing", missing), ("not in the network", surplus), ("of another shape", mismatched)];
    let named = parts.iter().filter(|(_, names)| !names.is_empty());
    named.map(|(what, names)| format!(" {what}: {};", names.join(", "))).collect()
}

impl StateDict {
    /// Names and shapes, in name order.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
    }

    /// The values of one tensor, row-major.
    pub fn values(&self, name: &str) -> Option<&[f32]> {
        self.tensors.get(name).map(|tensor| tensor.values.as_slice())
    }

    /// The same tensors with the values that `change` makes of each one's name, shape and values.
    ///
    /// # Panics
    /// If it gives another number of values.
    #[must_use]
    pub fn map_values(mut self, mut change: impl FnMut(&str, &[usize], &[f32]) -> Vec<f32>) -> Self {
        for (name, tensor) in &mut self.tensors {
            let values = change(name, &tensor.shape, &tensor.values);
            assert_eq!(values.len(), tensor.values.len(), "as many values as before in `{name}`");
            tensor.values = values;
        }
        self
    }

    /// The bytes of a safetensors file with one metadata entry.
    ///
    /// # Errors
    /// When the tensors cannot be laid out, which safetensors reports for inconsistent shapes.
    pub fn to_safetensors(&self, key: &str, value: String) -> Result<Vec<u8>, StateDictError> {
        let bytes: Vec<(&String, &NamedTensor, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, t)| (name, t, t.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let views = bytes
            .iter()
            .map(|(name, t, data)| Ok((*name, TensorView::new(Dtype::F32, t.shape.clone(), data)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        let metadata = HashMap::from([(key.to_owned(), value)]);
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// Reads the bytes of a safetensors file: its tensors, and the metadata entry of that name if there is one.
    ///
    /// PyTorch's `num_batches_tracked` counters are passed over.
    ///
    /// # Errors
    /// [`StateDictError::Format`] for anything but a whole safetensors file, [`StateDictError::Dtype`] for tensors that are
    /// neither f32 nor f16.
    pub fn from_safetensors(bytes: &[u8], key: &str) -> Result<(Self, Option<String>), StateDictError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let entry = header.metadata().as_ref().and_then(|entries| entries.get(key)).cloned();
        let mut tensors = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
            // Batch norm's counters: integers, and nothing is computed from them.
            if name.ends_with("num_batches_tracked") {
                continue;
            }
            let data = view.data();
            let values = match view.dtype() {
                Dtype::F32 => {
                    data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
                }
                Dtype::F16 => {
                    data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
                }
                dtype => return Err(StateDictError::Dtype { name, dtype }),
            };
            tensors.insert(name, NamedTensor { shape: view.shape().to_vec(), values });
        }
        Ok((Self { tensors }, entry))
    }
}

impl Network {
    /// A copy of every tensor.
    pub fn state_dict(&self) -> StateDict {
        let mut reader = Reader { place: Place::default(), tensors: BTreeMap::new() };
        self.visit(&mut reader);
        StateDict { tensors: reader.tensors }
    }

    /// The network with the tensors of `weights`.
    ///
    /// # Errors
    /// [`StateDictError::Mismatch`] names every tensor that is missing, left over or of another shape.
    pub fn with_state_dict(self, weights: &StateDict) -> Result<Self, StateDictError> {
        let mut writer =
            Writer { place: Place::default(), weights, used: vec![], missing: vec![], mismatched: vec![] };
        let network = self.map(&mut writer);
        let surplus: Vec<String> =
            weights.tensors.keys().filter(|name| !writer.used.contains(name)).cloned().collect();
        if writer.missing.is_empty() && writer.mismatched.is_empty() && surplus.is_empty() {
            return Ok(network);
        }
        Err(StateDictError::Mismatch { missing: writer.missing, surplus, mismatched: writer.mismatched })
    }
}

struct Reader {
    place: Place,
    tensors: BTreeMap<String, NamedTensor>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut tensor = param.val();
        if self.place.layer() == LayerKind::Linear && D == 2 {
            tensor = tensor.swap_dims(0, 1);
        }
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().iter::<f32>().collect();
        self.tensors.insert(self.place.name(), NamedTensor { shape, values });
    }
}

struct Writer<'a> {
    place: Place,
    weights: &'a StateDict,
    used: Vec<String>,
    missing: Vec<String>,
    mismatched: Vec<String>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.place.name();
        let transposed = self.place.layer() == LayerKind::Linear && D == 2;
        let mut expected = param.lazy_shape().to_vec();
        if transposed {
            expected.reverse();
        }
        let Some(given) = self.weights.tensors.get(&name) else {
            self.missing.push(name);
            return param;
        };
        self.used.push(name.clone());
        if given.shape != expected {
            self.mismatched.push(format!("{name} (network {expected:?}, weights {:?})", given.shape));
            return param;
        }
        param.map(|tensor| {
            let data = TensorData::new(given.values.clone(), given.shape.clone());
            let mut loaded = Tensor::from_data(data, &tensor.device());
            if transposed {
                // Laid out anew: a view with exchanged strides multiplies in another order, and a resumed training
                // would round differently from one that never stopped.
                let turned = loaded.swap_dims(0, 1).into_data();
                loaded = Tensor::from_data(turned, &tensor.device());
            }
            loaded.set_require_grad(tensor.is_require_grad())
        })
    }
}
