//! The 8-bit form of a model in its bundle.
//!
//! Weights in 8 bits are tensors of signed bytes under the network's names, `[outputs, ...]`, each with a tensor `NAME_scale` of a
//! scale for each output channel. The description's `int8` has the rest.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use cairn_nets::quantised::{Int8Settings, PhotoLevels, QuantiseError, QuantisedNetwork, QuantisedTensor};
use cairn_nets::weights::{StoredTensor, TensorFile};
use cairn_nets::{Network, StateDict, StateDictError};
use cairn_photo::Normalisation;
use safetensors::Dtype;

use crate::{BundleInfo, ModelError};

/// The 8-bit form of a model.
#[derive(Debug)]
pub(crate) struct Int8 {
    pub settings: Int8Settings,
    /// The weights in 8 bits, by name. The network has what they mean.
    pub weights: BTreeMap<String, QuantisedTensor>,
    /// Ready to run, where the model's device is the processor.
    pub network: Option<QuantisedNetwork>,
}

impl Int8 {
    /// The 8-bit form of `network`, whose weights mean what these do.
    pub(crate) fn new(
        network: &Network,
        info: &BundleInfo,
        settings: Int8Settings,
        weights: BTreeMap<String, QuantisedTensor>,
        device: &Device,
    ) -> Result<Self, QuantiseError> {
        let runs = QuantisedNetwork::is_offered(device);
        let ready = || {
            let photo = photo_levels(&info.preprocess.normalisation);
            QuantisedNetwork::new(network, info.network.side, photo, &weights, &settings)
        };
        let network = runs.then(ready).transpose()?;
        Ok(Self { settings, weights, network })
    }
}

/// A normalisation as networks in 8 bits take it.
pub(crate) fn photo_levels(normalisation: &Normalisation) -> PhotoLevels {
    let Normalisation { mean, std } = *normalisation;
    PhotoLevels { mean, std }
}

/// The name of the tensor with the scales of a weight in 8 bits.
pub(crate) fn scale_name(weight: &str) -> String {
    format!("{weight}_scale")
}

/// Tensors of a file that may be in 8 bits.
pub(super) struct StoredWeights<'a> {
    file: &'a TensorFile<'a>,
    /// The weights in 8 bits, and their scales.
    bytes: BTreeMap<&'a str, StoredTensor<'a>>,
    scales: BTreeMap<String, StoredTensor<'a>>,
}

impl<'a> StoredWeights<'a> {
    /// Tells which are in 8 bits; in a file of the first format none may be.
    pub(super) fn of(file: &'a TensorFile<'a>, may_be_bytes: bool) -> Self {
        let is_byte = |tensor: &StoredTensor<'_>| may_be_bytes && tensor.dtype == Dtype::I8;
        let bytes: BTreeMap<&str, StoredTensor<'_>> =
            file.tensors().filter(is_byte).map(|tensor| (tensor.name, tensor)).collect();
        let names: Vec<String> = bytes.keys().map(|name| scale_name(name)).collect();
        let scales = file.tensors().filter(|tensor| names.iter().any(|name| name == tensor.name));
        let scales = scales.map(|tensor| (tensor.name.to_owned(), tensor)).collect();
        Self { file, bytes, scales }
    }

    /// The tensors but for scales.
    pub(super) fn tensors(&self) -> impl Iterator<Item = StoredTensor<'a>> {
        self.file.tensors().filter(|tensor| !self.scales.contains_key(tensor.name))
    }

    /// Whether a tensor is in 8 bits and has a scale for each of its channels.
    pub(super) fn is_sound(&self, tensor: &StoredTensor<'_>) -> bool {
        let scales = self.scales.get(&scale_name(tensor.name));
        self.bytes.contains_key(tensor.name)
            && scales.is_some_and(|scales| {
                scales.dtype == Dtype::F32
                    && scales.shape.len() == 1
                    && scales.shape.first() == tensor.shape.first()
            })
    }

    /// All tensors as numbers, and the weights in 8 bits.
    pub(super) fn read(&self) -> Result<(StateDict, BTreeMap<String, QuantisedTensor>), StateDictError> {
        let (mut tensors, mut weights) = (StateDict::default(), BTreeMap::new());
        for tensor in self.tensors() {
            if !self.is_sound(&tensor) {
                tensors.insert_stored(&tensor)?;
                continue;
            }
            let scales = self.scales[&scale_name(tensor.name)];
            let scales = scales.bytes.chunks_exact(4);
            let quantised = QuantisedTensor {
                shape: tensor.shape.to_vec(),
                values: tensor.bytes.iter().map(|&byte| byte as i8).collect(),
                scales: scales.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect(),
            };
            tensors.insert(tensor.name, tensor.shape, quantised.dequantised());
            weights.insert(tensor.name.to_owned(), quantised);
        }
        Ok((tensors, weights))
    }
}

/// What is wrong with the 8-bit form in the file at `path`.
pub(super) fn unfit(path: &Path, source: QuantiseError) -> ModelError {
    ModelError::Int8 { path: path.to_owned(), source: Box::new(source) }
}
