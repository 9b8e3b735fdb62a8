//! Layer norm, against the definition in f64.

mod reference;

use cairn_kernels::Element;
use cairn_kernels::layer_norm::LayerNorm;
use half::bf16;
use proptest::prelude::*;
use reference::{Sums, assert_near, on_threads, poisoned, random, random_map, sets, tolerance, wide};

const EPSILON: f32 = 1e-6;

/// Output and gradients from the definition.
struct Defined {
    output: Vec<f64>,
    input_gradient: Vec<f64>,
    weight: Sums,
    bias: Sums,
}

fn define(channels: usize, input: &[f64], gradient: &[f64], weight: &[f32], bias: &[f32]) -> Defined {
    let mut defined = Defined {
        output: Vec::new(),
        input_gradient: Vec::new(),
        weight: Sums::zeros(channels),
        bias: Sums::zeros(channels),
    };
    for (x, dy) in input.chunks(channels).zip(gradient.chunks(channels)) {
        let count = channels as f64;
        let mean = x.iter().sum::<f64>() / count;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + f64::from(EPSILON)).sqrt();
        let normalised: Vec<f64> = x.iter().map(|x| (x - mean) / deviation).collect();
        let scaled: Vec<f64> = dy.iter().zip(weight).map(|(dy, weight)| dy * f64::from(*weight)).collect();
        let mean_gradient = scaled.iter().sum::<f64>() / count;
        let along = scaled.iter().zip(&normalised).map(|(g, n)| g * n).sum::<f64>() / count;
        for channel in 0..channels {
            let n = normalised[channel];
            defined.output.push(n * f64::from(weight[channel]) + f64::from(bias[channel]));
            defined.input_gradient.push((scaled[channel] - mean_gradient - n * along) / deviation);
            defined.weight.add(channel, dy[channel] * n);
            defined.bias.add(channel, dy[channel]);
        }
    }
    defined
}

fn check<T: Element>(pixels: usize, channels: usize, seed: u64) {
    let input = random_map::<T>(pixels * channels, seed);
    let gradient = random_map::<T>(input.len(), seed + 1);
    let (weight, bias) = (random(channels, seed + 2), random(channels, seed + 3));
    let expected = define(channels, &wide(&input), &wide(&gradient), &weight, &bias);
    let layer = LayerNorm { weight: &weight, bias: &bias, epsilon: EPSILON };
    for isa in sets::<T>() {
        let (mut output, mut input_gradient) = (poisoned::<T>(input.len()), poisoned::<T>(input.len()));
        layer.forward(isa, &input, &mut output);
        assert_near("output", &output, &expected.output, tolerance::<T>());
        let found = layer.backward(isa, &input, &gradient, &mut input_gradient);
        assert_near("input gradient", &input_gradient, &expected.input_gradient, 2.0 * tolerance::<T>());
        expected.weight.assert_near("weight gradient", &found.weight, tolerance::<f32>());
        expected.bias.assert_near("bias gradient", &found.bias, tolerance::<f32>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pixels_are_normalised_over_their_channels(
        pixels in 1..40_usize,
        channels in 5..90_usize,
        seed in 0..1000_u64,
    ) {
        check::<f32>(pixels, channels, seed);
        check::<bf16>(pixels, channels, seed);
    }
}

#[test]
fn large_maps_are_normalised_in_several_tasks_with_the_same_bits_on_any_number_of_threads() {
    let (channels, pixels) = (96, 700);
    check::<f32>(pixels, channels, 1);
    let (input, gradient) = (random(pixels * channels, 2), random(pixels * channels, 3));
    let (weight, bias) = (random(channels, 4), random(channels, 5));
    let layer = LayerNorm { weight: &weight, bias: &bias, epsilon: EPSILON };
    for isa in sets::<f32>() {
        let run = |threads| {
            let mut to = poisoned::<f32>(input.len());
            let found = on_threads(threads, || layer.backward(isa, &input, &gradient, &mut to));
            (to, found)
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn a_pixel_of_equal_channels_gives_the_bias() {
    let layer = LayerNorm { weight: &[2.0; 7], bias: &[0.5; 7], epsilon: EPSILON };
    for isa in sets::<f32>() {
        let mut output = [f32::NAN; 7];
        layer.forward(isa, &[3.0; 7], &mut output);
        assert_eq!(output, [0.5; 7]);
    }
}
