//! Convolutions of any shape, on every instruction set of the machine, against the definition in f64.

mod reference;

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::{Clamp, Conv2dOptions, Conv2dShape, Element, Extent, Isa, Padding};
use half::bf16;
use proptest::prelude::*;
use reference::{
    assert_within, bits, convolution, on_threads, poisoned, random, random_map, sets, tolerance, wide,
};

/// Zeros on every side, or those that keep the size, which may be more after the map than before it.
fn paddings(most: usize) -> impl Strategy<Value = Padding> {
    prop_oneof![2 => (0..=most).prop_map(Padding::Each), 1 => Just(Padding::Same)]
}

/// Odd shapes: channels that fill no block, narrow maps, strides that leave a rest, padding beyond the kernel.
fn shapes(depthwise: bool) -> impl Strategy<Value = Conv2dShape> {
    let kernels = prop::sample::select(vec![(1, 1), (2, 2), (3, 3), (1, 3), (5, 5), (7, 7), (3, 2)]);
    let maps = (1usize..=17, 1usize..=17);
    (1usize..=4, maps, 1usize..=70, 1usize..=90, kernels, 1usize..=3, paddings(4)).prop_filter_map(
        "the kernel must fit",
        move |(batch, map, inputs, outputs, kernel, stride, padding)| {
            let options = Conv2dOptions {
                batch,
                map: Extent { height: map.0, width: map.1 },
                inputs,
                outputs: if depthwise { inputs } else { outputs },
                kernel: Extent { height: kernel.0, width: kernel.1 },
                stride,
                padding,
                groups: if depthwise { inputs } else { 1 },
            };
            Conv2dShape::new(options).ok()
        },
    )
}

/// Shapes whose channels fall into groups of more than one.
fn grouped_shapes() -> impl Strategy<Value = Conv2dShape> {
    let kernels = prop::sample::select(vec![1, 2, 3, 5]);
    (1usize..=3, 3usize..=17, 2usize..=5, 1usize..=20, 2usize..=20, kernels, 1usize..=2, paddings(2))
        .prop_filter_map(
            "the kernel must fit",
            |(batch, side, groups, inputs, outputs, kernel, stride, padding)| {
                let options = Conv2dOptions {
                    batch,
                    map: Extent { height: side, width: side + 2 },
                    inputs: inputs * groups,
                    outputs: outputs * groups,
                    kernel: Extent::square(kernel),
                    stride,
                    padding,
                    groups,
                };
                Conv2dShape::new(options).ok()
            },
        )
}

/// Whether a dense convolution goes by Winograd's way, which spreads a bad value over a tile.
fn by_minimal_filtering(shape: &Conv2dShape) -> bool {
    let options = shape.options();
    let tiles = shape.output_map().height.div_ceil(4) * shape.output_map().width.div_ceil(4);
    options.kernel == Extent::square(3)
        && options.stride == 1
        && !matches!(options.padding, Padding::Each(3..))
        && options.inputs.min(options.outputs) >= 16
        && options.batch * tiles >= 24
}

/// Shapes that go by Winograd's way: 3x3, stride 1, maps that fill no tile, channels that fill no block.
fn winograd_shapes() -> impl Strategy<Value = Conv2dShape> {
    (1usize..=3, 3usize..=22, 3usize..=22, 16usize..=40, 16usize..=90, paddings(2)).prop_filter_map(
        "there must be enough tiles",
        |(batch, height, width, inputs, outputs, padding)| {
            let map = Extent { height, width };
            let kernel = Extent::square(3);
            let options =
                Conv2dOptions { batch, map, inputs, outputs, kernel, stride: 1, padding, groups: 1 };
            let shape = Conv2dShape::new(options).ok()?;
            by_minimal_filtering(&shape).then_some(shape)
        },
    )
}

struct Operands<T> {
    input: Vec<T>,
    weights: Vec<f32>,
    output_gradient: Vec<T>,
}

fn operands<T: Element>(shape: &Conv2dShape, seed: u64) -> Operands<T> {
    Operands {
        input: random_map(shape.input_len(), seed),
        weights: random(shape.weight_len(), seed + 1),
        output_gradient: random_map(shape.output_len(), seed + 2),
    }
}

fn forward<T: Element>(isa: Isa, shape: &Conv2dShape, input: &[T], weights: &[f32]) -> Vec<T> {
    let packed = PackedWeights::new(isa, shape, Direction::Forward, weights);
    let mut output = poisoned(shape.output_len());
    conv::forward(shape, input, &packed, Epilogue::default(), &mut output);
    output
}

fn input_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    output_gradient: &[T],
    weights: &[f32],
) -> Vec<T> {
    let packed = PackedWeights::new(isa, shape, Direction::InputGradient, weights);
    let mut gradient = poisoned(shape.input_len());
    conv::input_gradient(shape, output_gradient, &packed, &mut gradient);
    gradient
}

fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
) -> Vec<f32> {
    let mut gradient = poisoned(shape.weight_len());
    conv::weight_gradient(isa, shape, input, output_gradient, &mut gradient);
    gradient
}

fn check_products<T: Element>(shape: &Conv2dShape, seed: u64) {
    let Operands { input, weights, output_gradient } = operands::<T>(shape, seed);
    let expected_output = convolution::forward(shape, &wide(&input), &wide(&weights));
    let expected_input = convolution::input_gradient(shape, &wide(&output_gradient), &wide(&weights));
    let expected_weights = convolution::weight_gradient(shape, &wide(&input), &wide(&output_gradient));
    for isa in sets::<T>() {
        let name = isa.name();
        let output = forward(isa, shape, &input, &weights);
        expected_output.assert_near(&format!("forward, {name}"), &output, tolerance::<T>());
        let gradient = input_gradient(isa, shape, &output_gradient, &weights);
        expected_input.assert_near(&format!("input gradient, {name}"), &gradient, tolerance::<T>());
        let gradient = weight_gradient(isa, shape, &input, &output_gradient);
        expected_weights.assert_near(&format!("weight gradient, {name}"), &gradient, tolerance::<T>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn dense_f32_agrees_with_the_definition(shape in shapes(false), seed in 0u64..1000) {
        check_products::<f32>(&shape, seed);
    }

    #[test]
    fn dense_bf16_agrees_with_the_definition(shape in shapes(false), seed in 0u64..1000) {
        check_products::<bf16>(&shape, seed);
    }

    #[test]
    fn depthwise_f32_agrees_with_the_definition(shape in shapes(true), seed in 0u64..1000) {
        check_products::<f32>(&shape, seed);
    }

    #[test]
    fn depthwise_bf16_agrees_with_the_definition(shape in shapes(true), seed in 0u64..1000) {
        check_products::<bf16>(&shape, seed);
    }

    #[test]
    fn groups_agree_with_the_definition(shape in grouped_shapes(), seed in 0u64..1000) {
        check_products::<f32>(&shape, seed);
        check_products::<bf16>(&shape, seed);
    }

    #[test]
    fn the_minimal_filtering_agrees_with_the_definition(shape in winograd_shapes(), seed in 0u64..1000) {
        check_products::<f32>(&shape, seed);
        check_products::<bf16>(&shape, seed);
    }

    #[test]
    fn the_epilogue_adds_bias_and_residual_and_activates(
        shape in shapes(false), depthwise in shapes(true), winograd in winograd_shapes(), grouped in grouped_shapes(), with_bias: bool, with_residual: bool, seed in 0u64..1000,
    ) {
        check_epilogue::<f32>(&shape, with_bias, with_residual, seed);
        check_epilogue::<f32>(&depthwise, with_bias, with_residual, seed);
        check_epilogue::<f32>(&grouped, with_bias, with_residual, seed);
        check_epilogue::<bf16>(&shape, with_bias, with_residual, seed);
        check_epilogue::<f32>(&winograd, with_bias, with_residual, seed);
        check_epilogue::<bf16>(&winograd, with_bias, with_residual, seed);
    }
}

fn check_epilogue<T: Element>(shape: &Conv2dShape, with_bias: bool, with_residual: bool, seed: u64) {
    let outputs = shape.options().outputs;
    let Operands { input, weights, output_gradient: residual } = operands::<T>(shape, seed);
    let bias = random(outputs, seed + 3);
    let sums = convolution::forward(shape, &wide(&input), &wide(&weights));
    let mut expected = sums.values.clone();
    for (at, y) in expected.iter_mut().enumerate() {
        *y += if with_bias { f64::from(bias[at % outputs]) } else { 0.0 };
        *y += if with_residual { f64::from(residual[at].to_f32()) } else { 0.0 };
        *y = y.clamp(0.0, 6.0);
    }
    for isa in sets::<T>() {
        let packed = PackedWeights::new(isa, shape, Direction::Forward, &weights);
        let epilogue = Epilogue {
            bias: with_bias.then_some(&bias),
            residual: with_residual.then_some(&residual),
            activation: Clamp::Relu6,
        };
        let mut output = poisoned(shape.output_len());
        conv::forward(shape, &input, &packed, epilogue, &mut output);
        assert_within(isa.name(), &output, &expected, tolerance::<T>() * sums.scale().max(6.0));
    }
}

/// Layers large enough for many tasks: several bands, slabs, panels and groups.
fn large_layers() -> [Conv2dShape; 8] {
    let layer = |batch, side, inputs, outputs, kernel, stride, groups| {
        Conv2dShape::new(Conv2dOptions {
            batch,
            map: Extent::square(side),
            inputs,
            outputs,
            kernel: Extent::square(kernel),
            stride,
            padding: Padding::Each(kernel / 2),
            groups,
        })
        .expect("a layer that can be")
    };
    [
        layer(2, 40, 3, 64, 7, 2, 1),
        layer(5, 7, 512, 130, 3, 1, 1),
        layer(7, 7, 512, 130, 3, 1, 1),
        layer(3, 41, 72, 64, 3, 1, 1),
        layer(3, 28, 96, 80, 1, 2, 1),
        layer(3, 20, 40, 40, 3, 2, 40),
        layer(2, 20, 24, 24, 7, 1, 24),
        layer(3, 20, 48, 96, 3, 2, 6),
    ]
}

fn check_large_layers<T: Element>() {
    for shape in large_layers() {
        check_products::<T>(&shape, 7);
    }
}

#[test]
fn layers_of_many_tasks_agree_with_the_definition() {
    check_large_layers::<f32>();
    check_large_layers::<bf16>();
}

fn check_threads<T: Element>() {
    for shape in large_layers() {
        let Operands { input, weights, output_gradient } = operands::<T>(&shape, 11);
        for isa in sets::<T>() {
            let results = [1, 2, 3, 2].map(|threads| {
                on_threads(threads, || {
                    let mut bias = poisoned::<f32>(shape.options().outputs);
                    conv::bias_gradient(isa, &shape, &output_gradient, &mut bias);
                    [
                        bits(&forward(isa, &shape, &input, &weights)),
                        bits(&input_gradient(isa, &shape, &output_gradient, &weights)),
                        bits(&weight_gradient(isa, &shape, &input, &output_gradient)),
                        bits(&bias),
                    ]
                })
            });
            assert!(results.iter().all(|result| *result == results[0]), "{} {shape:?}", isa.name());
        }
    }
}

#[test]
fn bits_are_the_same_on_any_number_of_threads_and_from_run_to_run() {
    check_threads::<f32>();
    check_threads::<bf16>();
}

#[test]
fn the_bias_gradient_is_the_sum_over_pixels() {
    for shape in large_layers() {
        let output_gradient = random(shape.output_len(), 3);
        let expected = convolution::bias_gradient(&shape, &wide(&output_gradient));
        for isa in Isa::available() {
            let mut gradient = poisoned::<f32>(shape.options().outputs);
            conv::bias_gradient(isa, &shape, &output_gradient, &mut gradient);
            expected.assert_near(isa.name(), &gradient, 1e-5);
        }
    }
}

/// Compares where values are NaN or infinite.
fn assert_same_kinds<T: Element>(what: &str, actual: &[T], expected: &[f64]) {
    let kind = |x: f64| if x.is_finite() { 0.0 } else { x };
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let actual = kind(f64::from(actual.to_f32()));
        let expected = kind(*expected);
        let same = actual == expected || (actual.is_nan() && expected.is_nan());
        assert!(same, "{what}: element {index} is {actual}, expected {expected}");
    }
}

/// One bad value in the maps comes out exactly where the definition has it; in the weights' gradient, where padding is
/// multiplied too, at least there.
fn check_bad_values<T: Element>(shape: &Conv2dShape, bad: f32, place: usize) {
    let Operands { mut input, weights, mut output_gradient } = operands::<T>(shape, 5);
    let (at, gradient_at) = (place % input.len(), place % output_gradient.len());
    input[at] = T::from_f32(bad);
    output_gradient[gradient_at] = T::from_f32(bad);
    let weight_kinds = convolution::weight_gradient(shape, &wide(&input), &wide(&output_gradient));
    for isa in sets::<T>() {
        let output = forward(isa, shape, &input, &weights);
        assert_same_kinds(
            "forward",
            &output,
            &convolution::forward(shape, &wide(&input), &wide(&weights)).values,
        );
        let gradient = input_gradient(isa, shape, &output_gradient, &weights);
        let expected = convolution::input_gradient(shape, &wide(&output_gradient), &wide(&weights)).values;
        assert_same_kinds("input gradient", &gradient, &expected);
        let gradient = weight_gradient(isa, shape, &input, &output_gradient);
        for (actual, expected) in gradient.iter().zip(&weight_kinds.values) {
            assert!(expected.is_finite() || !actual.is_finite(), "{actual} for {expected}");
        }
    }
}

#[test]
fn phases_of_a_gradient_that_have_no_taps_read_nothing() {
    // With stride 3 and one row of weights, two of three rows of the input's gradient get nothing.
    let shape = Conv2dShape::new(Conv2dOptions {
        batch: 1,
        map: Extent { height: 1, width: 4 },
        inputs: 1,
        outputs: 12,
        kernel: Extent { height: 1, width: 3 },
        stride: 3,
        padding: Padding::Each(1),
        groups: 1,
    });
    let shape = shape.expect("a shape that goes together");
    check_bad_values::<f32>(&shape, f32::NAN, 0);
    check_bad_values::<bf16>(&shape, f32::NAN, 0);
    // A depthwise layer that reads nothing but padding.
    let depthwise = Conv2dShape::new(Conv2dOptions {
        batch: 1,
        map: Extent::square(1),
        inputs: 2,
        outputs: 2,
        kernel: Extent::square(1),
        stride: 3,
        padding: Padding::Each(1),
        groups: 2,
    });
    check_products::<bf16>(&depthwise.expect("a shape that goes together"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nan_and_infinity_come_out_where_the_definition_has_them(
        dense in shapes(false).prop_filter("tile by tile", |shape| !by_minimal_filtering(shape)),
        depthwise in shapes(true), place: usize,
        bad in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ) {
        check_bad_values::<f32>(&dense, bad, place);
        check_bad_values::<bf16>(&dense, bad, place);
        check_bad_values::<f32>(&depthwise, bad, place);
    }

    #[test]
    fn a_bad_value_spoils_all_that_see_it_and_no_tile_that_does_not(
        shape in winograd_shapes(), place: usize,
        bad in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ) {
        check_bad_tiles::<f32>(&shape, bad, place);
        check_bad_tiles::<bf16>(&shape, bad, place);
    }

    #[test]
    fn a_bad_value_of_a_depthwise_bf16_map_spoils_all_that_see_it_and_at_most_the_channel_beside_it(
        shape in shapes(true), place: usize,
        bad in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
    ) {
        check_bad_pairs(&shape, bad, place);
    }
}

/// What dot products of pairs of channels make of one bad value.
fn check_bad_pairs(shape: &Conv2dShape, bad: f32, place: usize) {
    let Operands { mut input, weights, mut output_gradient } = operands::<bf16>(shape, 5);
    let channels = shape.options().inputs;
    let (at, gradient_at) = (place % shape.input_len(), place % shape.output_len());
    input[at] = bf16::from_f32(bad);
    output_gradient[gradient_at] = bf16::from_f32(bad);
    let output = convolution::forward(shape, &wide(&input), &wide(&weights)).values;
    let input_gradients = convolution::input_gradient(shape, &wide(&output_gradient), &wide(&weights)).values;
    for isa in sets::<bf16>() {
        for (found, expected, bad_channel) in [
            (forward(isa, shape, &input, &weights), &output, at % channels),
            (
                input_gradient(isa, shape, &output_gradient, &weights),
                &input_gradients,
                gradient_at % channels,
            ),
        ] {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert!(expected.is_finite() || !found.is_finite(), "{found:?} for {expected}");
                assert!(
                    found.is_finite() || index % channels / 2 == bad_channel / 2,
                    "element {index}: {found}"
                );
            }
        }
    }
}

/// What the minimal filtering makes of one bad value: at least every output that sees it is bad, and no tile that does not.
fn check_bad_tiles<T: Element>(shape: &Conv2dShape, bad: f32, place: usize) {
    let Operands { mut input, weights, mut output_gradient } = operands::<T>(shape, 5);
    input[place % shape.input_len()] = T::from_f32(bad);
    output_gradient[place % shape.output_len()] = T::from_f32(bad);
    let output = convolution::forward(shape, &wide(&input), &wide(&weights)).values;
    let input_gradients = convolution::input_gradient(shape, &wide(&output_gradient), &wide(&weights)).values;
    for isa in sets::<T>() {
        for (found, expected) in [
            (forward(isa, shape, &input, &weights), &output),
            (input_gradient(isa, shape, &output_gradient, &weights), &input_gradients),
        ] {
            for (found, expected) in found.iter().zip(expected) {
                assert!(expected.is_finite() || !found.to_f32().is_finite(), "{found:?} for {expected}");
            }
            // A pixel is seen from four tiles of 16 pixels at most.
            let channels = shape.options().inputs.max(shape.options().outputs);
            let count = found.iter().filter(|value| !value.to_f32().is_finite()).count();
            assert!(count <= 4 * 16 * channels, "{count} bad values");
        }
    }
}

#[test]
#[should_panic(expected = "weights packed for Forward")]
fn weights_packed_for_the_other_direction_are_refused() {
    let shape = large_layers()[4];
    let packed = PackedWeights::new(Isa::best(), &shape, Direction::Forward, &vec![0.0; shape.weight_len()]);
    conv::input_gradient(&shape, &vec![0.0; shape.output_len()], &packed, &mut vec![0.0; shape.input_len()]);
}

#[test]
#[should_panic(expected = "output has 3 elements")]
fn an_output_of_the_wrong_length_is_refused() {
    let shape = large_layers()[4];
    let packed = PackedWeights::new(Isa::best(), &shape, Direction::Forward, &vec![0.0; shape.weight_len()]);
    conv::forward(&shape, &vec![0.0; shape.input_len()], &packed, Epilogue::default(), &mut [0.0; 3]);
}
