//! In how many bits weights are stored.

use cairn_nets::quantised::QuantisedTensor;
use half::f16;

use super::{Exportable, TensorRef};

/// How the weights of convolutions and linear layers are stored. Every sum is in f32, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightFormat {
    /// 32-bit floats: what was trained.
    F32,
    /// 16-bit floats: half the size, probabilities alike to three digits.
    F16,
    /// 8-bit integers with a scale for each output channel: a quarter of the size.
    Int8,
}

/// A tensor as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stored {
    F32(Vec<u8>),
    F16(Vec<u8>),
    Int8(QuantisedTensor),
}

impl Exportable<'_> {
    /// The tensor's bytes, little-endian.
    pub(super) fn stored(&self, name: &str, tensor: TensorRef, format: WeightFormat) -> Stored {
        match format {
            WeightFormat::Int8 if self.is_layer_weight(name) => {
                Stored::Int8(QuantisedTensor::of(tensor.shape, tensor.values))
            }
            WeightFormat::F16 if self.is_layer_weight(name) => Stored::halved(tensor.values),
            _ => Stored::F32(bytes(tensor.values)),
        }
    }

    /// The tensor's values as an export in `format` reads them back.
    pub(super) fn rounded(&self, name: &str, tensor: TensorRef, format: WeightFormat) -> Vec<f32> {
        match self.stored(name, tensor, format) {
            Stored::F32(_) => tensor.values.to_vec(),
            Stored::F16(bytes) => {
                bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect()
            }
            Stored::Int8(quantised) => quantised.dequantised(),
        }
    }
}

impl Stored {
    /// In 16 bits each, unless one of them would become infinite.
    pub(super) fn halved(values: &[f32]) -> Self {
        if !fits_f16(values) {
            return Self::F32(bytes(values));
        }
        Self::F16(values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect())
    }
}

/// The bytes of 8-bit numbers.
pub(super) fn byte_values(values: &[i8]) -> Vec<u8> {
    values.iter().map(|value| value.cast_unsigned()).collect()
}

/// The numbers' bytes, little-endian.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The numbers' bytes in 16 bits each, where these hold all of them exactly.
pub(super) fn exactly_halved(values: &[f32]) -> Option<Vec<u8>> {
    let exact = |value: f32| Some(f16::from_f32(value)).filter(|half| half.to_f32() == value);
    let halves: Option<Vec<f16>> = values.iter().map(|&value| exact(value)).collect();
    halves.map(|halves| halves.into_iter().flat_map(f16::to_le_bytes).collect())
}

/// Whether no value becomes infinite in f16.
fn fits_f16(values: &[f32]) -> bool {
    values.iter().all(|value| value.abs() <= f16::MAX.to_f32())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_f16_are_told() {
        assert!(fits_f16(&[65504.0, -65504.0, 1e-9]));
        assert!(!fits_f16(&[70000.0]));
    }
}
