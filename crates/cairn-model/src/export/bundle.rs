//! cairn's own format, with its weights in fewer bits than a training writes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use cairn_nets::weights::StoredTensor;
use cairn_nets::{Network, StateDict, StateDictError};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use super::safetensors::to_safetensors;
use super::weights::{byte_values, bytes, exactly_halved};
use super::{ExportError, WeightFormat};
use crate::bundle::{Checksum, ENTRY, Int8, describe, describe_int8, scale_name};
use crate::int8::is_weight;
use crate::{BundleInfo, EmbeddingBank, Model, ModelError};

/// The bytes of a bundle that holds all of the model, with what it learned and by what it tells landmarks from other
/// photos: what [`Model::open`] opens.
///
/// In 16 bits are the weights of convolutions and linear layers and the embeddings; biases and the statistics of batch
/// norm stay as they are, being short and some of them wide in range. A model in 8 bits ([`Model::to_int8`]) stays in 8 bits,
/// whatever `weights` say, and what is not in 8 bits is in 16, unless that would change it.
///
/// # Errors
/// When the model does not fit together, or `weights` are 8-bit integers and the model is not in 8 bits.
pub fn to_bundle(model: &Model, weights: WeightFormat) -> Result<Vec<u8>, ExportError> {
    if let Some(int8) = &model.bundle().int8 {
        return Ok(int8_bytes(model.network(), model.info(), model.bank(), int8)?);
    }
    let mut embeddings = StateDict::default();
    model.bank().insert_into(&mut embeddings);
    to_safetensors(&model.parts().exportable(), &embeddings, weights, |tensors| {
        let description = describe(model.info(), Checksum::of(tensors.iter().copied()));
        Ok(HashMap::from([(ENTRY.to_owned(), description.map_err(ExportError::Description)?)]))
    })
}

/// Why the bytes of a bundle could not be put together.
#[derive(Debug)]
pub(crate) enum WriteError {
    Description(serde_json::Error),
    Tensors(SafeTensorError),
}

impl WriteError {
    /// The error of writing to `path`.
    pub(crate) fn at(self, path: &Path) -> ModelError {
        let path = path.to_owned();
        match self {
            Self::Description(source) => ModelError::Description { path, source },
            Self::Tensors(source) => ModelError::Damaged { path, source: StateDictError::Write(source) },
        }
    }
}

impl From<WriteError> for ExportError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Description(source) => Self::Description(source),
            WriteError::Tensors(source) => Self::Safetensors(source),
        }
    }
}

/// The bytes of a bundle in 8 bits.
pub(crate) fn int8_bytes(
    network: &Network,
    info: &BundleInfo,
    bank: &EmbeddingBank,
    int8: &Int8,
) -> Result<Vec<u8>, WriteError> {
    let mut tensors = network.state_dict();
    bank.insert_into(&mut tensors);
    let mut stored: Vec<Written<'_>> = Vec::new();
    for (name, shape) in tensors.shapes() {
        let shape = shape.to_vec();
        if let Some(quantised) = int8.weights.get(name) {
            let (scales, outputs) = (bytes(&quantised.scales), quantised.scales.len());
            let scale = Cow::Owned(scale_name(name));
            stored.push(Written { name: scale, dtype: Dtype::F32, shape: vec![outputs], bytes: scales });
            let bytes = byte_values(&quantised.values);
            stored.push(Written { name: Cow::Borrowed(name), dtype: Dtype::I8, shape, bytes });
            continue;
        }
        let values = tensors.values(name).unwrap_or_default();
        // What was learned since it was rounded may not fit: a saved model is the model as it was.
        let half = if is_weight(&shape) { exactly_halved(values) } else { None };
        let (dtype, bytes) = match half {
            Some(half) => (Dtype::F16, half),
            None => (Dtype::F32, bytes(values)),
        };
        stored.push(Written { name: Cow::Borrowed(name), dtype, shape, bytes });
    }
    stored.sort_by(|a, b| a.name.cmp(&b.name));
    let in_order = stored.iter().map(|Written { name, dtype, shape, bytes }| StoredTensor {
        name,
        dtype: *dtype,
        shape,
        bytes,
    });
    let description = describe_int8(info, &int8.settings, Checksum::of(in_order));
    let metadata = HashMap::from([(ENTRY.to_owned(), description.map_err(WriteError::Description)?)]);
    let views: Result<Vec<_>, SafeTensorError> = stored
        .iter()
        .map(|written| {
            let view = TensorView::new(written.dtype, written.shape.clone(), &written.bytes)?;
            Ok((written.name.to_string(), view))
        })
        .collect();
    safetensors::serialize(views.map_err(WriteError::Tensors)?, Some(metadata)).map_err(WriteError::Tensors)
}

/// A tensor of a bundle in 8 bits.
struct Written<'a> {
    name: Cow<'a, str>,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}
