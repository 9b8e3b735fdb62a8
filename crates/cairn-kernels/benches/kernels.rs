//! Single kernels on typical layers: operations a second for the convolutions (compare with the peak that is printed first),
//! bytes read and written a second for everything else.
//!
//! cargo bench -p cairn-kernels -- [TEXT]
#![allow(clippy::print_stdout, missing_docs)]

mod stopwatch;

use cairn_kernels::batch_norm::{BatchNorm, Source, Statistics};
use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::optimiser::{Adam, AdamMoments, Decay, Sgd, gradient_norm};
use cairn_kernels::pool::{MaxPoolOptions, MaxPoolShape, max_pool, max_pool_backward};
use cairn_kernels::roofline;
use cairn_kernels::{Clamp, Conv2dOptions, Conv2dShape, Element, Extent, Isa, Padding};
use half::bf16;

use stopwatch::{Group, Work};

const BATCH: usize = 8;

fn ramp<T: Element>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f32((i % 251) as f32 / 64.0 - 2.0)).collect()
}

fn layer(
    side: usize,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
) -> Conv2dShape {
    Conv2dShape::new(Conv2dOptions {
        batch: BATCH,
        map: Extent::square(side),
        inputs,
        outputs,
        kernel: Extent::square(kernel),
        stride,
        padding: Padding::Each(kernel / 2),
        groups,
    })
    .expect("a layer that can be")
}

fn convolutions<T: Element>(element: &str) {
    let isa = Isa::best();
    println!("peak, {element}: {:.0} GFLOP/s", roofline::multiply_adds_per_second::<T>(isa) * 2.0 / 1e9);
    for (name, shape) in [
        ("first 7x7/2 at 224", layer(224, 3, 64, 7, 2, 1)),
        ("3x3 at 56", layer(56, 64, 64, 3, 1, 1)),
        ("3x3/2 at 28", layer(28, 128, 256, 3, 2, 1)),
        ("3x3 at 7", layer(7, 512, 512, 3, 1, 1)),
        ("1x1 at 28", layer(28, 192, 32, 1, 1, 1)),
        ("depthwise 3x3 at 56", layer(56, 144, 144, 3, 1, 144)),
        ("depthwise 3x3/2 at 56", layer(56, 144, 144, 3, 2, 144)),
    ] {
        let group = Group::new(format!("{name}, {element}"));
        let work = Work::Operations(2 * shape.multiply_adds());
        let (input, output_gradient) = (ramp::<T>(shape.input_len()), ramp::<T>(shape.output_len()));
        let weights = ramp::<f32>(shape.weight_len());
        let forward = PackedWeights::new(isa, &shape, Direction::Forward, &weights);
        let backward = PackedWeights::new(isa, &shape, Direction::InputGradient, &weights);
        let (mut output, mut input_gradient) = (output_gradient.clone(), input.clone());
        let mut weight_gradient = weights.clone();
        group.time("forward", work, || {
            conv::forward(&shape, &input, &forward, Epilogue::default(), &mut output);
        });
        group.time("input gradient", work, || {
            conv::input_gradient(&shape, &output_gradient, &backward, &mut input_gradient);
        });
        group.time("weight gradient", work, || {
            conv::weight_gradient(isa, &shape, &input, &output_gradient, &mut weight_gradient);
        });
    }
}

fn maps<T: Element>(element: &str) {
    let isa = Isa::best();
    let (channels, side) = (64, 56);
    let len = BATCH * side * side * channels;
    let bytes = |maps: usize| Work::Bytes(maps * len * size_of::<T>());
    let (input, output_gradient) = (ramp::<T>(len), ramp::<T>(len));
    let (mut output, mut input_gradient) = (input.clone(), input.clone());
    let (weight, bias) = (ramp::<f32>(channels), ramp::<f32>(channels));
    let layer = BatchNorm { weight: &weight, bias: &bias, epsilon: 1e-5 };
    let statistics = Statistics::of_batch(isa, channels, &input);

    let group = Group::new(format!("maps of 64 channels at 56, {element}"));
    group.time("statistics", bytes(1), || Statistics::of_batch(isa, channels, &input));
    group.time("batch norm, residual, ReLU", bytes(3), || {
        layer.forward(isa, &statistics, &input, Some(&output_gradient), Clamp::Relu, &mut output);
    });
    group.time("batch norm, ReLU, backward", bytes(5), || {
        let (relu, gradient) = (Clamp::Relu, &output_gradient);
        layer.backward(isa, Source::Batch(&statistics), &input, relu, gradient, None, &mut input_gradient)
    });
    let shape = MaxPoolShape::new(MaxPoolOptions {
        batch: BATCH,
        map: Extent::square(side),
        channels,
        window: 3,
        stride: 2,
        padding: 1,
        ceil_mode: false,
    })
    .expect("a pool that can be");
    let (mut pooled, mut taps) = (ramp::<T>(shape.output_len()), vec![0; shape.output_len()]);
    group.time("max pool 3x3/2", bytes(1), || max_pool(isa, &shape, &input, &mut pooled, &mut taps));
    group.time("max pool 3x3/2, backward", bytes(1), || {
        max_pool_backward(isa, &shape, &taps, &pooled, &mut input_gradient);
    });
}

fn optimisers() {
    let isa = Isa::best();
    let len = 512 * 512 * 9;
    let bytes = |arrays: usize| Work::Bytes(arrays * len * size_of::<f32>());
    let gradient = ramp::<f32>(len);
    let (mut weights, mut first, mut second) = (ramp::<f32>(len), vec![0.0; len], vec![0.0; len]);
    let group = Group::new("2.4 million weights");
    let sgd = Sgd { learning_rate: 1e-3, momentum: 0.9, weight_decay: 1e-4, nesterov: false };
    group.time("SGD", bytes(5), || sgd.step(isa, &mut weights, &gradient, &mut first));
    let adam = Adam {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 1e-4,
        decay: Decay::Decoupled,
    };
    group.time("AdamW", bytes(7), || {
        let moments = AdamMoments { first: &mut first, second: &mut second };
        adam.step(isa, 3, &mut weights, &gradient, moments);
    });
    group.time("gradient norm", bytes(1), || gradient_norm(isa, &[&gradient]));
    let shape = layer(7, 512, 512, 3, 1, 1);
    for direction in [Direction::Forward, Direction::InputGradient] {
        group.time(&format!("packing, {direction:?}"), bytes(2), || {
            PackedWeights::<f32>::new(isa, &shape, direction, &weights)
        });
    }
}

fn main() {
    convolutions::<f32>("f32");
    maps::<f32>("f32");
    if Isa::best().has_bf16() {
        convolutions::<bf16>("bf16");
        maps::<bf16>("bf16");
    }
    optimisers();
}
