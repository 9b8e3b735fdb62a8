//! safetensors: the weights alone, under torchvision's names.

use std::collections::HashMap;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use super::weights::Stored;
use super::{ExportError, Exportable, WeightFormat};

/// The bytes of a safetensors file: the tensors in torchvision's names and layouts, `metadata` in its header.
///
/// # Errors
/// When graph, tensors, preprocessing and class names do not fit together, or `weights` are 8-bit integers, for which
/// libraries that read such files have no common convention.
pub(super) fn to_safetensors(
    model: &Exportable,
    weights: WeightFormat,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, ExportError> {
    model.check()?;
    let used = model.used_tensors();
    let mut stored = Vec::with_capacity(used.len());
    for &(name, tensor) in &used {
        let (dtype, bytes) = match model.stored(name, tensor, weights) {
            Stored::F32(bytes) => (Dtype::F32, bytes),
            Stored::F16(bytes) => (Dtype::F16, bytes),
            Stored::Int8(_) => return Err(ExportError::Int8Safetensors),
        };
        stored.push((name, dtype, tensor.shape, bytes));
    }
    let views = stored
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.to_vec(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    Ok(safetensors::serialize(views, Some(metadata))?)
}
