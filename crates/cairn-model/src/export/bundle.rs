//! cairn's own format, with its weights in fewer bits than a training writes.

use std::collections::HashMap;

use cairn_nets::StateDict;

use super::safetensors::to_safetensors;
use super::{ExportError, WeightFormat};
use crate::Model;
use crate::bundle::{Checksum, ENTRY, describe};

/// The bytes of a bundle that holds all of the model, with what it learned and by what it tells landmarks from other
/// photos: what [`Model::open`] opens.
///
/// In 16 bits are the weights of convolutions and linear layers and the embeddings; biases and the statistics of batch
/// norm stay as they are, being short and some of them wide in range.
///
/// # Errors
/// When the model does not fit together, or `weights` are 8-bit integers, which a bundle cannot hold.
pub fn to_bundle(model: &Model, weights: WeightFormat) -> Result<Vec<u8>, ExportError> {
    let mut embeddings = StateDict::default();
    model.bank().insert_into(&mut embeddings);
    to_safetensors(&model.parts().exportable(), &embeddings, weights, |tensors| {
        let description = describe(model.info(), Checksum::of(tensors.iter().copied()));
        Ok(HashMap::from([(ENTRY.to_owned(), description.map_err(ExportError::Description)?)]))
    })
}
