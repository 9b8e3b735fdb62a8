//! Weights by name, in torchvision's naming and layout.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use crate::network::Network;
use crate::parameters::{LayerKind, Place};
use crate::weights::{NamingError, RawTensor, StoredTensor, TensorFile, TensorFileError};

/// Every tensor of a network (parameters and batch-norm statistics) by torchvision's names, in torchvision's layouts:
/// convolutions `[outputs, inputs, height, width]`, linear weights `[outputs, inputs]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, NamedTensor>,
}

/// One tensor of a [`StateDict`]: row-major f32 values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedTensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Why a state dict cannot be read, or does not fit a network.
#[derive(Debug, thiserror::Error)]
pub enum StateDictError {
    /// Not a safetensors file, or a truncated one.
    #[error(transparent)]
    Format(#[from] TensorFileError),
    /// Tensors that cannot be laid out in a file.
    #[error("the tensors cannot be written as safetensors")]
    Write(#[from] SafeTensorError),
    /// A value that is infinite or no number.
    #[error("tensor `{name}` has infinite or NaN values: the training that made it diverged")]
    NotFinite {
        /// The tensor's name.
        name: String,
    },
    /// Names that are not brought to the network's.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// A tensor of a type that no network here has.
    #[error("tensor `{name}` holds {dtype:?}; F32, F16, BF16 and F64 are read")]
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
    /// As many names as show what is wrong.
    const SHOWN: usize = 6;
    let parts = [("missing", missing), ("not in the network", surplus), ("of another shape", mismatched)];
    let named = parts.iter().filter(|(_, names)| !names.is_empty());
    named
        .map(|(what, names)| {
            let more = match names.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(" {what}: {}{more};", names[..names.len().min(SHOWN)].join(", "))
        })
        .collect()
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

    /// Adds a tensor of row-major values, in the place of one of the same name.
    ///
    /// # Panics
    /// If the shape does not hold as many values.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}: a tensor fills its shape");
        self.tensors.insert(name.to_owned(), NamedTensor { shape: shape.to_vec(), values });
    }

    /// Takes a tensor out: its shape and its values, row-major.
    pub fn take(&mut self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        self.tensors.remove(name).map(|tensor| (tensor.shape, tensor.values))
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
    /// PyTorch's `num_batches_tracked` counters are passed over. Narrower and wider floats become f32.
    ///
    /// # Errors
    /// [`StateDictError::Format`] for anything but a whole safetensors file, [`StateDictError::Dtype`] for tensors that are
    /// not floats.
    pub fn from_safetensors(bytes: &[u8], key: &str) -> Result<(Self, Option<String>), StateDictError> {
        let file = TensorFile::parse(bytes, key)?;
        Ok((Self::from_file(&file)?, file.entry().map(str::to_owned)))
    }

    /// The tensors of a safetensors file, as [`StateDict::from_safetensors`] reads them.
    ///
    /// # Errors
    /// [`StateDictError::Dtype`] for tensors that are not floats.
    pub fn from_file(file: &TensorFile<'_>) -> Result<Self, StateDictError> {
        let mut read = Self::default();
        file.tensors().try_for_each(|tensor| read.insert_stored(&tensor))?;
        Ok(read)
    }

    /// Adds a tensor of a safetensors file, unless it is batch norm's counter, which no computation uses.
    ///
    /// # Errors
    /// [`StateDictError::Dtype`] when it is not of floats.
    pub fn insert_stored(&mut self, tensor: &StoredTensor<'_>) -> Result<(), StateDictError> {
        if tensor.name.ends_with("num_batches_tracked") {
            return Ok(());
        }
        let StoredTensor { name, dtype, shape, bytes } = *tensor;
        let float = tensor.float().ok_or_else(|| StateDictError::Dtype { name: name.to_owned(), dtype })?;
        self.insert(name, shape, float.to_f32(bytes));
        Ok(())
    }

    /// What [`read_pth`](crate::weights::read_pth) found, without PyTorch's `num_batches_tracked` counters.
    pub fn from_tensors(tensors: Vec<RawTensor>) -> Self {
        let kept = tensors.into_iter().filter(|tensor| !tensor.name.ends_with("num_batches_tracked"));
        let named = kept.map(|tensor| {
            let values = tensor.to_f32();
            (tensor.name, NamedTensor { shape: tensor.shape, values })
        });
        Self { tensors: named.collect() }
    }

    /// The tensors by name.
    pub(crate) fn into_tensors(self) -> BTreeMap<String, NamedTensor> {
        self.tensors
    }

    pub(crate) fn of_tensors(tensors: BTreeMap<String, NamedTensor>) -> Self {
        Self { tensors }
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The tensors of the module `path`, named from there on.
    pub(crate) fn module(self, path: &str) -> Self {
        let inside = |name: &str| Some(name.strip_prefix(path)?.strip_prefix('.')?.to_owned());
        let kept = self.tensors.into_iter().filter_map(|(name, tensor)| Some((inside(&name)?, tensor)));
        Self { tensors: kept.collect() }
    }

    /// Gives the module `from` the path `to`.
    pub(crate) fn rename_module(&mut self, from: &str, to: &str) {
        let renamed =
            |name: &str| Some(format!("{to}{}", name.strip_prefix(from).filter(|r| r.starts_with('.'))?));
        let tensors = std::mem::take(&mut self.tensors).into_iter();
        self.tensors = tensors.map(|(name, tensor)| (renamed(&name).unwrap_or(name), tensor)).collect();
    }

    /// Whether all values are finite.
    ///
    /// # Errors
    /// [`StateDictError::NotFinite`] names the first tensor with others.
    pub fn check_finite(&self) -> Result<(), StateDictError> {
        let broken = |tensor: &NamedTensor| tensor.values.iter().any(|value| !value.is_finite());
        match self.tensors.iter().find(|(_, tensor)| broken(tensor)) {
            Some((name, _)) => Err(StateDictError::NotFinite { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The shape of one tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|tensor| tensor.shape.as_slice())
    }

    /// These tensors, with those of the module `path` replaced by those of `other`.
    #[must_use]
    pub(crate) fn with_module_of(mut self, other: &Self, path: &str) -> Self {
        let inside = |name: &str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.tensors.retain(|name, _| !inside(name));
        let taken = other.tensors.iter().filter(|(name, _)| inside(name));
        self.tensors.extend(taken.map(|(name, tensor)| (name.clone(), tensor.clone())));
        self
    }
}

impl Network {
    /// A copy of every tensor.
    pub fn state_dict(&self) -> StateDict {
        let mut reader = Reader { place: Place::default(), tensors: BTreeMap::new() };
        self.visit(&mut reader);
        StateDict { tensors: reader.tensors }
    }

    /// Checks that tensors of these names and shapes are this network's, all of them and no others.
    ///
    /// # Errors
    /// [`StateDictError::Mismatch`] names every tensor that is missing, left over or of another shape.
    pub fn check_shapes<'a>(
        &self,
        given: impl Iterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<(), StateDictError> {
        let own = self.tensors();
        let mut left: HashMap<&str, &[usize]> =
            own.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).collect();
        let (mut surplus, mut mismatched) = (Vec::new(), Vec::new());
        for (name, shape) in given.filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
            match left.remove(name) {
                None => surplus.push(name.to_owned()),
                Some(own) if own != shape => mismatched.push(mismatch(name, own, shape)),
                Some(_) => {}
            }
        }
        if left.is_empty() && surplus.is_empty() && mismatched.is_empty() {
            return Ok(());
        }
        // In the order of the layers.
        let missing = own.iter().filter(|tensor| left.contains_key(tensor.name.as_str()));
        let missing = missing.map(|tensor| tensor.name.clone()).collect();
        Err(StateDictError::Mismatch { missing, surplus, mismatched })
    }

    /// The network with the tensors of `weights`.
    ///
    /// # Errors
    /// [`StateDictError::Mismatch`] names every tensor that is missing, left over or of another shape.
    pub fn with_state_dict(self, weights: StateDict) -> Result<Self, StateDictError> {
        let mut writer =
            Writer { place: Place::default(), left: weights.tensors, missing: vec![], mismatched: vec![] };
        let network = self.map(&mut writer);
        let Writer { left, missing, mismatched, .. } = writer;
        if missing.is_empty() && mismatched.is_empty() && left.is_empty() {
            return Ok(network);
        }
        Err(StateDictError::Mismatch { missing, surplus: left.into_keys().collect(), mismatched })
    }
}

fn mismatch(name: &str, expected: &[usize], given: &[usize]) -> String {
    format!("{name} (network {expected:?}, weights {given:?})")
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

struct Writer {
    place: Place,
    /// The tensors that have not found their place yet.
    left: BTreeMap<String, NamedTensor>,
    missing: Vec<String>,
    mismatched: Vec<String>,
}

impl ModuleMapper for Writer {
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
        let Some(given) = self.left.remove(&name) else {
            self.missing.push(name);
            return param;
        };
        if given.shape != expected {
            self.mismatched.push(mismatch(&name, &expected, &given.shape));
            return param;
        }
        let device = param.lazy_device();
        let mut loaded = Tensor::from_data(TensorData::new(given.values, given.shape), &device);
        if transposed {
            // Copied to the new layout: a view with exchanged strides multiplies in another order, and a resumed training would
            // round differently from one that never stopped.
            loaded = Tensor::from_data(loaded.swap_dims(0, 1).into_data(), &device);
        }
        // What the parameter was is never asked for: a blank one has not even been made.
        let id = param.id;
        param.transform_for_load(loaded, id)
    }
}
