//! Weights in 8 bits.

/// A weight in 8 bits: `values[channel, ...] * scales[channel]`, from -127 to 127 and symmetric, with a scale for each output
/// channel, the first axis.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantisedTensor {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<i8>,
    /// One for each output channel.
    pub scales: Vec<f32>,
}

impl QuantisedTensor {
    /// The nearest values; the greatest of each channel becomes 127.
    pub fn of(shape: &[usize], weights: &[f32]) -> Self {
        let channels = shape.first().copied().unwrap_or(1).max(1);
        let channel_len = (weights.len() / channels).max(1);
        let (mut values, mut scales) = (Vec::with_capacity(weights.len()), Vec::with_capacity(channels));
        for channel in weights.chunks(channel_len) {
            let greatest = channel.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            // A channel of zeros has zeros in any scale.
            let scale = if greatest / 127.0 > 0.0 { greatest / 127.0 } else { 1.0 };
            values.extend(channel.iter().map(|value| (value / scale).round().clamp(-127.0, 127.0) as i8));
            scales.push(scale);
        }
        Self { shape: shape.to_vec(), values, scales }
    }

    /// Whether there are as many values and scales as its shape says, and the scales are numbers.
    pub fn is_sound(&self) -> bool {
        let len = self.shape.iter().try_fold(1_usize, |len, &side| len.checked_mul(side));
        len == Some(self.values.len())
            && self.shape.first() == Some(&self.scales.len())
            && self.scales.iter().all(|scale| scale.is_finite())
    }

    /// The weights that it means.
    pub fn dequantised(&self) -> Vec<f32> {
        let channel_len = (self.values.len() / self.scales.len().max(1)).max(1);
        let channels = self.values.chunks(channel_len).zip(&self.scales);
        channels
            .flat_map(|(values, scale)| values.iter().map(move |&value| f32::from(value) * scale))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantised_weight_is_off_by_half_a_step_of_its_channel_at_most() {
        let values = [0.1, -0.5, 0.25, 0.0, 0.0, 0.0, 3.0, -8.0, 1e-4];
        let quantised = QuantisedTensor::of(&[3, 3], &values);
        assert!(quantised.is_sound());
        assert_eq!(quantised.scales, [0.5 / 127.0, 1.0, 8.0 / 127.0]);
        for (index, (value, found)) in values.iter().zip(quantised.dequantised()).enumerate() {
            let scale = quantised.scales[index / 3];
            assert!((found - value).abs() <= scale * 0.500_1, "{found}, not {value}");
        }
        // What it means becomes the same values again.
        assert_eq!(QuantisedTensor::of(&[3, 3], &quantised.dequantised()).values, quantised.values);
    }

    #[test]
    fn values_too_small_for_a_scale_are_zeros() {
        let quantised = QuantisedTensor::of(&[1, 2], &[1e-45, -1e-45]);
        assert!(quantised.is_sound() && quantised.values == [0, 0]);
    }
}
