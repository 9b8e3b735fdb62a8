//! The last linear layer of a network in 8 bits, in floats.

use crate::isa::Isa;
use crate::shape::check_len;
use crate::vectorised::vectorised;

/// Sums that are kept apart and added in the end, in the same order on every machine.
const SUMS: usize = 16;

/// `output = input * weights^T + bias`, in floats: `[photos, outputs]` from `[photos, inputs]` and `[outputs, inputs]`.
///
/// # Panics
/// When lengths do not belong together.
pub fn linear(isa: Isa, weights: &[f32], bias: &[f32], input: &[f32], output: &mut [f32]) {
    let (photos, inputs) = (output.len() / bias.len().max(1), weights.len() / bias.len().max(1));
    check_len("weights", weights.len(), bias.len() * inputs);
    check_len("input", input.len(), photos * inputs);
    check_len("output", output.len(), photos * bias.len());
    if inputs > 0 {
        for (photo, output) in input.chunks_exact(inputs).zip(output.chunks_exact_mut(bias.len())) {
            row(isa, weights, bias, photo, output);
        }
    }
}

vectorised! {
    /// One photo's outputs.
    fn row(weights: &[f32], bias: &[f32], photo: &[f32], output: &mut [f32]) {
        for ((to, bias), weights) in output.iter_mut().zip(bias).zip(weights.chunks_exact(photo.len())) {
            let mut sums = [0.0_f32; SUMS];
            let (photos, photo_rest) = photo.as_chunks::<SUMS>();
            let (rows, row_rest) = weights.as_chunks::<SUMS>();
            for (x, w) in photos.iter().zip(rows) {
                for lane in 0..SUMS {
                    sums[lane] += x[lane] * w[lane];
                }
            }
            for (lane, (x, w)) in photo_rest.iter().zip(row_rest).enumerate() {
                sums[lane] += x * w;
            }
            *to = sums.iter().sum::<f32>() + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_products_with_the_weights_and_the_same_bits_everywhere() {
        let (photos, inputs, outputs) = (3, 21, 5);
        let values = |count: usize, step: usize| -> Vec<f32> {
            (0..count).map(|at| (at * step % 17) as f32 / 8.0 - 1.0).collect()
        };
        let (weights, bias, input) =
            (values(outputs * inputs, 5), values(outputs, 3), values(photos * inputs, 7));
        let mut found = vec![0.0; photos * outputs];
        linear(Isa::Portable, &weights, &bias, &input, &mut found);
        for (at, found) in found.iter().enumerate() {
            let (photo, output) = (at / outputs, at % outputs);
            let products = (0..inputs).map(|i| input[photo * inputs + i] * weights[output * inputs + i]);
            // All numbers are multiples of 1/64 of a few units: any order gives the exact sum.
            assert_eq!(*found, products.sum::<f32>() + bias[output]);
        }
        for isa in Isa::available() {
            let mut other = vec![0.0; photos * outputs];
            linear(isa, &weights, &bias, &input, &mut other);
            assert_eq!(other, found, "{isa:?}");
        }
    }
}
