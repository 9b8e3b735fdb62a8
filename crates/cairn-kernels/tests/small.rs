//! Every kernel on sizes so small that Miri runs them: CONTRIBUTING.md says how. Without Miri they take no time.

mod reference;

use cairn_kernels::batch_norm::{BatchNorm, ResidualBackward, Source, Statistics};
use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::layer_norm::LayerNorm;
use cairn_kernels::optimiser::{Adam, AdamMoments, Decay, Sgd, gradient_norm};
use cairn_kernels::pool::{self, MaxPoolOptions, MaxPoolShape};
use cairn_kernels::{
    Activation, Clamp, Conv2dOptions, Conv2dShape, Element, Extent, Isa, Padding, channel_scale, elementwise,
    layout, trim,
};
use half::bf16;
use reference::{convolution, on_threads, poisoned, random, random_map, sets, tolerance, wide};

const LAYER: Conv2dOptions = Conv2dOptions {
    batch: 2,
    map: Extent { height: 4, width: 6 },
    inputs: 3,
    outputs: 5,
    kernel: Extent::square(3),
    stride: 1,
    padding: Padding::Each(1),
    groups: 1,
};

/// One for each way through the convolutions.
const LAYERS: [Conv2dOptions; 11] = [
    // Sources in a padded patch, an odd number of channels.
    LAYER,
    // Sources in place.
    Conv2dOptions { inputs: 4, kernel: Extent::square(1), padding: Padding::Each(0), ..LAYER },
    // Phases of the gradient to the input that have no taps: a downsample on an even map.
    Conv2dOptions { inputs: 4, kernel: Extent::square(1), stride: 2, padding: Padding::Each(0), ..LAYER },
    Conv2dOptions { kernel: Extent { height: 2, width: 1 }, stride: 3, padding: Padding::Each(0), ..LAYER },
    // Padding beyond the kernel, and a stride.
    Conv2dOptions { kernel: Extent { height: 3, width: 2 }, stride: 2, padding: Padding::Each(4), ..LAYER },
    // Several panels of output channels.
    Conv2dOptions { outputs: 35, kernel: Extent::square(2), ..LAYER },
    // Depthwise, walked along the row and not; in groups.
    Conv2dOptions { inputs: 9, outputs: 9, groups: 9, ..LAYER },
    Conv2dOptions { inputs: 9, outputs: 9, groups: 9, kernel: Extent::square(2), stride: 3, ..LAYER },
    Conv2dOptions { inputs: 4, outputs: 6, groups: 2, ..LAYER },
    // More zeros after the map than before it.
    Conv2dOptions { stride: 2, padding: Padding::Same, ..LAYER },
    Conv2dOptions { inputs: 9, outputs: 9, groups: 9, stride: 2, padding: Padding::Same, ..LAYER },
];

/// Winograd's way: enough channels, and enough tiles.
const MINIMAL_FILTERING: Conv2dOptions =
    Conv2dOptions { batch: 24, map: Extent { height: 4, width: 3 }, inputs: 16, outputs: 17, ..LAYER };

fn check_convolution<T: Element>(options: Conv2dOptions) {
    let shape = Conv2dShape::new(options).expect("a layer that can be");
    let (input, output_gradient) =
        (random_map::<T>(shape.input_len(), 1), random_map::<T>(shape.output_len(), 2));
    let weights = random(shape.weight_len(), 3);
    let expected_output = convolution::forward(&shape, &wide(&input), &wide(&weights));
    let expected_input = convolution::input_gradient(&shape, &wide(&output_gradient), &wide(&weights));
    let expected_weights = convolution::weight_gradient(&shape, &wide(&input), &wide(&output_gradient));
    let expected_bias = convolution::bias_gradient(&shape, &wide(&output_gradient));
    for isa in sets::<T>() {
        let what = |product: &str| format!("{product}, {}, {options:?}", isa.name());
        let mut output = poisoned::<T>(shape.output_len());
        let packed = PackedWeights::new(isa, &shape, Direction::Forward, &weights);
        conv::forward(&shape, &input, &packed, Epilogue::default(), &mut output);
        expected_output.assert_near(&what("forward"), &output, tolerance::<T>());
        let (bias, residual) = (random(options.outputs, 4), random_map::<T>(shape.output_len(), 5));
        let epilogue = Epilogue { bias: Some(&bias), residual: Some(&residual), activation: Clamp::Relu6 };
        conv::forward(&shape, &input, &packed, epilogue, &mut output);
        assert!(output.iter().all(|value| (0.0..=6.0).contains(&value.to_f32())));
        let mut gradient = poisoned::<T>(shape.input_len());
        let packed = PackedWeights::new(isa, &shape, Direction::InputGradient, &weights);
        conv::input_gradient(&shape, &output_gradient, &packed, &mut gradient);
        expected_input.assert_near(&what("input gradient"), &gradient, tolerance::<T>());
        let mut gradient = poisoned::<f32>(shape.weight_len());
        conv::weight_gradient(isa, &shape, &input, &output_gradient, &mut gradient);
        expected_weights.assert_near(&what("weight gradient"), &gradient, tolerance::<T>());
        let mut gradient = poisoned::<f32>(options.outputs);
        conv::bias_gradient(isa, &shape, &output_gradient, &mut gradient);
        expected_bias.assert_near(&what("bias gradient"), &gradient, tolerance::<T>());
    }
}

#[test]
fn convolutions_agree_with_the_definition() {
    on_threads(2, || {
        for options in LAYERS {
            check_convolution::<f32>(options);
            check_convolution::<bf16>(options);
        }
        trim();
        check_convolution::<f32>(MINIMAL_FILTERING);
    });
}

fn check_maps<T: Element>(isa: Isa) {
    let (channels, pixels) = (5, 12);
    let input = random_map::<T>(pixels * channels, 1);
    let gradient = random_map::<T>(input.len(), 2);
    let (weight, bias) = (random(channels, 3), random(channels, 4));
    let all_written = |map: &[T]| assert!(map.iter().all(|value| !value.to_f32().is_nan()));

    let (mut output, mut input_gradient) = (poisoned::<T>(input.len()), poisoned::<T>(input.len()));
    let statistics = Statistics::of_batch(isa, channels, &input);
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: 1e-5 };
    layer.forward(isa, &statistics, &input, Some(&gradient), Clamp::Relu, &mut output);
    all_written(&output);
    let mut residual_gradient = poisoned::<T>(input.len());
    let residual = ResidualBackward { output: &output, gradient: &mut residual_gradient };
    let (source, relu) = (Source::Batch(&statistics), Clamp::Relu);
    layer.backward(isa, source, &input, relu, &gradient, Some(residual), &mut input_gradient);
    all_written(&input_gradient);
    all_written(&residual_gradient);

    let (mut output, mut input_gradient) = (poisoned::<T>(input.len()), poisoned::<T>(input.len()));
    let layer = LayerNorm { weight: &weight, bias: &bias, epsilon: 1e-6 };
    layer.forward(isa, &input, &mut output);
    layer.backward(isa, &input, &gradient, &mut input_gradient);
    all_written(&output);
    all_written(&input_gradient);

    for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::HardSwish] {
        let (mut output, mut input_gradient) = (poisoned::<T>(input.len()), poisoned::<T>(input.len()));
        activation.forward(isa, &input, &mut output);
        activation.backward(isa, &input, &gradient, &mut input_gradient);
        all_written(&output);
        all_written(&input_gradient);
    }

    let mut output = poisoned::<T>(input.len());
    elementwise::add(isa, Clamp::Relu, &input, &gradient, &mut output);
    all_written(&output);
    let (factors, mut found) = (random(2 * channels, 5), poisoned::<f32>(2 * channels));
    channel_scale::scale(isa, channels, &input, &factors, &mut output);
    all_written(&output);
    channel_scale::factor_gradient(isa, channels, &input, &gradient, &mut found);
    assert!(found.iter().all(|value| value.is_finite()));

    let (mut planes, mut back) = (poisoned::<f32>(input.len()), poisoned::<T>(input.len()));
    layout::pixels_to_planes(isa, channels, pixels / 2, &input, &mut planes);
    layout::planes_to_pixels(isa, channels, pixels / 2, &planes, &mut back);
    assert_eq!(wide(&back), wide(&input));

    let options = MaxPoolOptions {
        batch: 1,
        map: Extent { height: 3, width: 4 },
        channels,
        window: 3,
        stride: 2,
        padding: 1,
        ceil_mode: true,
    };
    let shape = MaxPoolShape::new(options).expect("a pool that can be");
    let (mut output, mut taps) = (poisoned::<T>(shape.output_len()), vec![0; shape.output_len()]);
    pool::max_pool(isa, &shape, &input, &mut output, &mut taps);
    all_written(&output);
    let mut input_gradient = poisoned::<T>(input.len());
    pool::max_pool_backward(isa, &shape, &taps, &output, &mut input_gradient);
    all_written(&input_gradient);
    let mut means = poisoned::<f32>(channels);
    pool::global_average_pool(isa, channels, &input, &mut means);
    pool::global_average_pool_backward(isa, channels, &means, &mut input_gradient);
    all_written(&input_gradient);
}

#[test]
fn layers_on_maps_write_every_value() {
    on_threads(2, || {
        sets::<f32>().into_iter().for_each(check_maps::<f32>);
        sets::<bf16>().into_iter().for_each(check_maps::<bf16>);
    });
}

#[test]
fn optimisers_step() {
    on_threads(2, || {
        for isa in Isa::available() {
            let gradient = random(37, 1);
            let (mut weights, mut first, mut second) = (random(37, 2), vec![0.0; 37], vec![0.0; 37]);
            let before = weights.clone();
            let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 1e-4, nesterov: true };
            sgd.step(isa, &mut weights, &gradient, &mut first);
            let adam = Adam {
                learning_rate: 0.1,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 1e-2,
                decay: Decay::Decoupled,
            };
            first.fill(0.0);
            let moments = AdamMoments { first: &mut first, second: &mut second };
            adam.step(isa, 1, &mut weights, &gradient, moments);
            assert!(weights.iter().zip(&before).all(|(after, before)| after != before && after.is_finite()));
            assert!(gradient_norm(isa, &[&gradient]) > 0.0);
        }
    });
}
