//! In how many bits weights are stored.

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
    Int8(Quantised),
}

/// `values[channel, ...] * scales[channel]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantised {
    pub(super) values: Vec<u8>,
    /// One for each output channel, the first axis.
    pub(super) scales: Vec<f32>,
}

impl Exportable<'_> {
    /// The tensor's bytes, little-endian.
    pub(super) fn stored(&self, name: &str, tensor: TensorRef, format: WeightFormat) -> Stored {
        match format {
            WeightFormat::Int8 if self.is_layer_weight(name) => Stored::Int8(quantised(tensor)),
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

impl Quantised {
    /// The values that it represents.
    fn dequantised(&self) -> Vec<f32> {
        let channel_len = (self.values.len() / self.scales.len().max(1)).max(1);
        let channels = self.values.chunks(channel_len).zip(&self.scales);
        channels
            .flat_map(|(values, scale)| values.iter().map(move |&value| f32::from(value as i8) * scale))
            .collect()
    }
}

/// The numbers' bytes, little-endian.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Whether no value becomes infinite in f16.
fn fits_f16(values: &[f32]) -> bool {
    values.iter().all(|value| value.abs() <= f16::MAX.to_f32())
}

/// Symmetric quantisation of each output channel: its greatest value becomes 127.
fn quantised(tensor: TensorRef) -> Quantised {
    let channels = tensor.shape.first().copied().unwrap_or(1).max(1);
    let channel_len = (tensor.values.len() / channels).max(1);
    let (mut values, mut scales) = (Vec::with_capacity(tensor.values.len()), Vec::with_capacity(channels));
    for channel in tensor.values.chunks(channel_len) {
        let greatest = channel.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        // A channel of zeros has zeros in any scale.
        let scale = if greatest > 0.0 { greatest / 127.0 } else { 1.0 };
        values.extend(channel.iter().flat_map(|value| ((value / scale).round() as i8).to_le_bytes()));
        scales.push(scale);
    }
    Quantised { values, scales }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantised_weight_is_off_by_half_a_step_of_its_channel_at_most() {
        let values = [0.1, -0.5, 0.25, 0.0, 0.0, 0.0, 3.0, -8.0, 1e-4];
        let stored = quantised(TensorRef { shape: &[3, 3], values: &values });
        assert_eq!(stored.scales, [0.5 / 127.0, 1.0, 8.0 / 127.0]);
        for (index, (value, found)) in values.iter().zip(stored.dequantised()).enumerate() {
            let scale = stored.scales[index / 3];
            assert!((found - value).abs() <= scale * 0.500_1, "{found}, not {value}");
        }
    }

    #[test]
    fn values_beyond_f16_are_told() {
        assert!(fits_f16(&[65504.0, -65504.0, 1e-9]));
        assert!(!fits_f16(&[70000.0]));
    }
}
