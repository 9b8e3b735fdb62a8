//! Convolutions of any shape, on every instruction set of the machine, against the definition in f64.

mod reference;

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::{Conv2dOptions, Conv2dShape, Element, Extent, Isa};
use half::bf16;
use proptest::prelude::*;
use reference::{
    assert_near, bits, convolution, on_threads, poisoned, random, random_map, sets, tolerance, wide,
};

/// Odd shapes: channels that fill no block, narrow maps, strides that leave a rest, padding beyond the kernel.
fn shapes(depthwise: bool) -> impl Strategy<Value = Conv2dShape> {
    let kernels = prop::sample::select(vec![(1, 1), (2, 2), (3, 3), (1, 3), (5, 5), (7, 7), (3, 2)]);
    let maps = (1usize..=17, 1usize..=17);
    (1usize..=4, maps, 1usize..=70, 1usize..=90, kernels, 1usize..=3, 0usize..=4).prop_filter_map(
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
        assert_near(&format!("forward, {name}"), &output, &expected_output, tolerance::<T>());
        let gradient = input_gradient(isa, shape, &output_gradient, &weights);
        assert_near(&format!("input gradient, {name}"), &gradient, &expected_input, tolerance::<T>());
        let gradient = weight_gradient(isa, shape, &input, &output_gradient);
        assert_near(&format!("weight gradient, {name}"), &gradient, &expected_weights, tolerance::<T>());
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
}
