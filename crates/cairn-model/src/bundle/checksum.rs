//! The checksum of a bundle's tensors.

use blake3::{Hash, Hasher};
use cairn_nets::StateDict;
use cairn_nets::weights::StoredTensor;

/// BLAKE3 of tensors: of each, in name order, name, type, shape and bytes. It does not depend on where in a file they
/// are, nor on the file's other metadata, so that a tool that writes a bundle again keeps it.
#[derive(Default)]
pub(crate) struct Checksum(Hasher);

impl Checksum {
    /// The checksum of a file's tensors, which come in name order.
    pub(crate) fn of<'a>(tensors: impl Iterator<Item = StoredTensor<'a>>) -> Hash {
        let mut checksum = Self::default();
        tensors.for_each(|tensor| checksum.add(tensor));
        checksum.0.finalize()
    }

    /// The checksum of tensors that are written as f32.
    pub(crate) fn of_state_dict(tensors: &StateDict) -> Hash {
        let mut checksum = Self::default();
        for (name, shape) in tensors.shapes() {
            let values = tensors.values(name).unwrap_or_default().iter();
            let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
            checksum.add(StoredTensor { name, dtype: safetensors::Dtype::F32, shape, bytes: &bytes });
        }
        checksum.0.finalize()
    }

    fn add(&mut self, tensor: StoredTensor<'_>) {
        let StoredTensor { name, dtype, shape, bytes } = tensor;
        // Lengths before what has no fixed one, so that no two lists of tensors give the same bytes.
        for text in [name, &dtype.to_string()] {
            self.0.update(&(text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
        self.0.update(&(shape.len() as u64).to_le_bytes());
        for &side in shape {
            self.0.update(&(side as u64).to_le_bytes());
        }
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}
