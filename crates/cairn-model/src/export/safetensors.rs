//! safetensors: tensors by name, the network's under torchvision's.

use std::collections::HashMap;

use cairn_nets::StateDict;
use cairn_nets::weights::StoredTensor;
use safetensors::tensor::{Dtype, TensorView};

use super::weights::{Stored, bytes};
use super::{ExportError, Exportable, WeightFormat};

/// The bytes of a safetensors file: the network's tensors in torchvision's names and layouts, those that are kept
/// `beside` it, and in its header the `metadata` that is made of them, which come in name order.
///
/// # Errors
/// When graph, tensors, preprocessing and class names do not fit together, or `weights` are 8-bit integers, for which
/// libraries that read such files have no common convention.
pub(super) fn to_safetensors(
    model: &Exportable,
    beside: &StateDict,
    weights: WeightFormat,
    metadata: impl FnOnce(&[StoredTensor<'_>]) -> Result<HashMap<String, String>, ExportError>,
) -> Result<Vec<u8>, ExportError> {
    model.check()?;
    let used = model.used_tensors().into_iter();
    let mut stored: Vec<(&str, &[usize], Stored)> =
        used.map(|(name, tensor)| (name, tensor.shape, model.stored(name, tensor, weights))).collect();
    for (name, shape) in beside.shapes() {
        let values = beside.values(name).unwrap_or_default();
        let tensor =
            if weights == WeightFormat::F16 { Stored::halved(values) } else { Stored::F32(bytes(values)) };
        stored.push((name, shape, tensor));
    }
    stored.sort_by_key(|(name, ..)| *name);
    let mut tensors = Vec::with_capacity(stored.len());
    for (name, shape, tensor) in &stored {
        let (dtype, bytes) = match tensor {
            Stored::F32(bytes) => (Dtype::F32, bytes),
            Stored::F16(bytes) => (Dtype::F16, bytes),
            Stored::Int8(_) => return Err(ExportError::Int8Safetensors),
        };
        tensors.push(StoredTensor { name, dtype, shape, bytes });
    }
    let metadata = metadata(&tensors)?;
    let mut views = Vec::with_capacity(tensors.len());
    for StoredTensor { name, dtype, shape, bytes } in tensors {
        views.push((name, TensorView::new(dtype, shape.to_vec(), bytes)?));
    }
    Ok(safetensors::serialize(views, Some(metadata))?)
}
