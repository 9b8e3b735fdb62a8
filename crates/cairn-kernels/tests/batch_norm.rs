//! Batch norm, with activation and residual, against the definition in f64.

mod reference;

use cairn_kernels::batch_norm::{BatchNorm, FoldedBatchNorm, ResidualBackward, Source, Statistics};
use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::{Clamp, Conv2dOptions, Conv2dShape, Element, Extent, Isa, Padding};
use half::bf16;
use proptest::prelude::*;
use reference::batch_norm::{Definition, moments};
use reference::{
    assert_near, assert_within, bits, on_threads, poisoned, random, random_map, sets, tolerance, wide,
};

const EPSILON: f32 = 1e-5;

fn bounds(activation: Clamp) -> (f64, f64) {
    match activation {
        Clamp::Identity => (f64::NEG_INFINITY, f64::INFINITY),
        Clamp::Relu => (0.0, f64::INFINITY),
        Clamp::Relu6 => (0.0, 6.0),
    }
}

fn activations() -> impl Strategy<Value = Clamp> {
    prop::sample::select(vec![Clamp::Identity, Clamp::Relu, Clamp::Relu6])
}

/// Forward and backward of a batch, with or without a residual.
fn check<T: Element>(pixels: usize, channels: usize, activation: Clamp, with_residual: bool, seed: u64) {
    let len = pixels * channels;
    let input = random_map::<T>(len, seed);
    let residual = random_map::<T>(len, seed + 1);
    let output_gradient = random_map::<T>(len, seed + 2);
    // Weights large enough that ReLU6 reaches its upper bound.
    let weight: Vec<f32> = random(channels, seed + 3).iter().map(|weight| weight * 3.0).collect();
    let bias = random(channels, seed + 4);
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: EPSILON };
    let definition = Definition {
        channels,
        weight: &wide(&weight),
        bias: &wide(&bias),
        epsilon: f64::from(EPSILON),
        bounds: bounds(activation),
    };
    let wide_residual = if with_residual { wide(&residual) } else { vec![0.0; len] };
    let (mean, variance) = moments(channels, &wide(&input));
    let expected_output = definition.forward(&wide(&input), &wide_residual, &mean, &variance);
    let expected = definition.backward(&wide(&input), &wide_residual, &wide(&output_gradient));
    let largest = wide(&input).iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for isa in sets::<T>() {
        let statistics = Statistics::of_batch(isa, channels, &input);

        assert_within("mean", &statistics.mean, &mean, 1e-6 * largest);
        assert_near("variance", &statistics.variance, &variance, 1e-5);
        let mut output = poisoned::<T>(len);
        layer.forward(isa, &statistics, &input, with_residual.then_some(&residual), activation, &mut output);
        assert_near("output", &output, &expected_output, tolerance::<T>());
        let (mut input_gradient, mut residual_gradient) = (poisoned::<T>(len), poisoned::<T>(len));
        let for_residual =
            with_residual.then(|| ResidualBackward { output: &output, gradient: &mut residual_gradient });
        let gradients = layer.backward(
            isa,
            Source::Batch(&statistics),
            &input,
            activation,
            &output_gradient,
            for_residual,
            &mut input_gradient,
        );
        assert_within(
            "input gradient",
            &input_gradient,
            &expected.input,
            tolerance::<T>() * expected.largest_term,
        );
        expected.weight.assert_near("weight gradient", &gradients.weight, tolerance::<T>());
        expected.bias.assert_near("bias gradient", &gradients.bias, tolerance::<T>());
        if with_residual {
            assert_near("residual gradient", &residual_gradient, &expected.residual, tolerance::<T>());
        }
    }
}

// At least 16 pixels: two or three may lie so close together that their deviation, and all that is divided by it, is no
// more than the rounding of their mean.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn f32_agrees_with_the_definition(
        pixels in 16usize..700, channels in 1usize..80, activation in activations(), residual: bool, seed in 0u64..1000,
    ) {
        check::<f32>(pixels, channels, activation, residual, seed);
    }

    // With a residual, ReLU6's upper bound is looked for in the rounded output: values that round up to it count as
    // stopped, which the definition does not know.
    #[test]
    fn bf16_agrees_with_the_definition(
        pixels in 16usize..700, channels in 1usize..80, activation in activations(), residual: bool, seed in 0u64..1000,
    ) {
        prop_assume!(!(residual && activation == Clamp::Relu6));
        check::<bf16>(pixels, channels, activation, residual, seed);
    }
}

#[test]
fn a_mean_far_from_zero_costs_the_variance_no_accuracy() {
    let input: Vec<f32> = random(40_000 * 3, 9).iter().map(|x| x + 1000.0).collect();
    let (_, variance) = moments(3, &wide(&input));
    for isa in Isa::available() {
        assert_near("variance", &Statistics::of_batch(isa, 3, &input).variance, &variance, 1e-5);
    }
}

#[test]
fn bits_are_the_same_on_any_number_of_threads() {
    let (channels, pixels) = (24, 3000);
    let (input, output_gradient) = (random(pixels * channels, 1), random(pixels * channels, 2));
    let (weight, bias) = (random(channels, 3), random(channels, 4));
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: EPSILON };
    for isa in Isa::available() {
        let results = [1, 2, 3].map(|threads| {
            on_threads(threads, || {
                let statistics = Statistics::of_batch(isa, channels, &input);
                let mut gradient = poisoned::<f32>(input.len());
                let parameters = layer.backward(
                    isa,
                    Source::Batch(&statistics),
                    &input,
                    Clamp::Relu,
                    &output_gradient,
                    None,
                    &mut gradient,
                );
                [&statistics.mean, &statistics.variance, &gradient, &parameters.weight, &parameters.bias]
                    .map(|values| bits(values))
            })
        });
        assert!(results.iter().all(|result| *result == results[0]), "{}", isa.name());
    }
}

#[test]
fn nan_and_infinity_come_through() {
    let (channels, pixels) = (20, 50);
    let (weight, bias) = (vec![1.0; channels], vec![0.0; channels]);
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: EPSILON };
    for bad in [f32::NAN, f32::INFINITY] {
        let mut input = random(pixels * channels, 5);
        input[7 * channels + 3] = bad;
        for isa in Isa::available() {
            let statistics = Statistics::of_batch(isa, channels, &input);
            assert!(!statistics.variance[3].is_finite() && statistics.variance[4].is_finite());
            let mut output = poisoned::<f32>(input.len());
            layer.forward(isa, &statistics, &input, None, Clamp::Relu, &mut output);
            assert!(output[7 * channels + 3].is_nan(), "{}", isa.name());
            assert!(output.iter().skip(4).step_by(channels).all(|y| y.is_finite()));
        }
    }
}

#[test]
fn running_statistics_move_as_pytorchs_do() {
    // momentum 0.1, five pixels: mean 0.9 x 1 + 0.1 x 3; variance 0.9 x 2 + 0.1 x (4 x 5 / 4)
    let batch = Statistics { mean: vec![3.0], variance: vec![4.0] };
    let (mut mean, mut variance) = ([1.0], [2.0]);
    batch.update_running(5, 0.1, &mut mean, &mut variance);
    assert!((mean[0] - 1.2).abs() < 1e-6 && (variance[0] - 2.3).abs() < 1e-6, "{mean:?} {variance:?}");
}

#[test]
fn a_folded_batch_norm_gives_what_convolution_and_batch_norm_give_one_after_the_other() {
    let shape = Conv2dShape::new(Conv2dOptions {
        batch: 2,
        map: Extent { height: 9, width: 11 },
        inputs: 7,
        outputs: 21,
        kernel: Extent::square(3),
        stride: 2,
        padding: Padding::Each(1),
        groups: 1,
    })
    .unwrap();
    let (input, weights, residual) =
        (random(shape.input_len(), 1), random(shape.weight_len(), 2), random(shape.output_len(), 3));
    let (weight, bias, before) = (random(21, 4), random(21, 5), random(21, 6));
    let running =
        Statistics { mean: random(21, 7), variance: random(21, 8).iter().map(|x| x * x + 0.1).collect() };
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: EPSILON };

    let mut convolved = reference::convolution::forward(&shape, &wide(&input), &wide(&weights)).values;
    for pixel in convolved.chunks_exact_mut(21) {
        for (y, bias) in pixel.iter_mut().zip(&before) {
            *y += f64::from(*bias);
        }
    }
    let definition = Definition {
        channels: 21,
        weight: &wide(&weight),
        bias: &wide(&bias),
        epsilon: f64::from(EPSILON),
        bounds: bounds(Clamp::Relu6),
    };
    let expected =
        definition.forward(&convolved, &wide(&residual), &wide(&running.mean), &wide(&running.variance));

    let folded = FoldedBatchNorm::new(&layer, &running, &weights, Some(&before));
    for isa in Isa::available() {
        let packed = PackedWeights::new(isa, &shape, Direction::Forward, &folded.weights);
        let epilogue =
            Epilogue { bias: Some(&folded.bias), residual: Some(&residual), activation: Clamp::Relu6 };
        let mut output = poisoned::<f32>(shape.output_len());
        conv::forward(&shape, &input, &packed, epilogue, &mut output);
        assert_near("folded", &output, &expected, 1e-5);
    }
}
