//! Times every convolution of ResNet-34 at 224 px (forward, gradient to the input, gradient to the weights) beside
//! what the cores can do at most. The totals leave out the gradient to the photos, which training does not need.
//!
//! ```text
//! cargo run --release -p cairn-kernels --example resnet34_layers -- [BATCH [f32|bf16]]
//! CAIRN_ISA=avx2 cargo run --release -p cairn-kernels --example resnet34_layers
//! ```
#![allow(clippy::print_stdout)]

#[path = "../benches/peak/mod.rs"]
mod peak;

use std::time::{Duration, Instant};

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::{Conv2dOptions, Conv2dShape, Element, Extent, Isa, Padding};
use half::bf16;

/// A convolution of the network, and how often it occurs.
struct Layer {
    inputs: usize,
    outputs: usize,
    map: usize,
    kernel: usize,
    stride: usize,
    times: u32,
}

const fn layer(inputs: usize, outputs: usize, map: usize, kernel: usize, stride: usize, times: u32) -> Layer {
    Layer { inputs, outputs, map, kernel, stride, times }
}

const LAYERS: [Layer; 11] = [
    layer(3, 64, 224, 7, 2, 1),
    layer(64, 64, 56, 3, 1, 6),
    layer(64, 128, 56, 3, 2, 1),
    layer(64, 128, 56, 1, 2, 1),
    layer(128, 128, 28, 3, 1, 7),
    layer(128, 256, 28, 3, 2, 1),
    layer(128, 256, 28, 1, 2, 1),
    layer(256, 256, 14, 3, 1, 11),
    layer(256, 512, 14, 3, 2, 1),
    layer(256, 512, 14, 1, 2, 1),
    layer(512, 512, 7, 3, 1, 5),
];

const REPEATS: usize = 7;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let batch = arguments.next().map_or(32, |batch| batch.parse().expect("BATCH is a number"));
    match arguments.next().as_deref() {
        None | Some("f32") => run::<f32>(batch),
        Some("bf16") => run::<bf16>(batch),
        Some(other) => panic!("{other}: neither f32 nor bf16"),
    }
}

fn run<T: Element>(batch: usize) {
    let isa = Isa::best();
    let threads = rayon::current_num_threads();
    let peak = peak::multiply_adds_per_second::<T>(isa) * 2.0 / 1e9;
    println!("{} on {threads} threads, batch {batch}; peak {peak:.0} GFLOP/s", isa.name());
    println!(
        "{:>24}  {:>16}  {:>16}  {:>16}",
        "layer x times", "forward", "input gradient", "weight gradient"
    );
    let mut totals = [Total::default(); 3];
    for layer in &LAYERS {
        let shape = Conv2dShape::new(Conv2dOptions {
            batch,
            map: Extent::square(layer.map),
            inputs: layer.inputs,
            outputs: layer.outputs,
            kernel: Extent::square(layer.kernel),
            stride: layer.stride,
            padding: Padding::Each(layer.kernel / 2),
            groups: 1,
        })
        .expect("a layer of ResNet-34");
        let flop = 2.0 * shape.multiply_adds() as f64;
        let times = time_layer::<T>(isa, &shape);
        let shares = times.map(|time| {
            let rate = flop / time.as_secs_f64() / 1e9;
            format!("{:7.2} ms {:3.0} %", time.as_secs_f64() * 1e3, 100.0 * rate / peak)
        });
        let Layer { inputs, outputs, map, kernel, stride, times: count } = *layer;
        let name = format!("{inputs}-{outputs} {kernel}x{kernel}/{stride} @{map} x{count}");
        println!("{name:>24}  {:>16}  {:>16}  {:>16}", shares[0], shares[1], shares[2]);
        for (product, (total, time)) in totals.iter_mut().zip(times).enumerate() {
            if product == INPUT_GRADIENT && inputs == 3 {
                continue;
            }
            total.time += time * count;
            total.flops += flop * f64::from(count);
        }
    }
    let all = totals.iter().fold(Total::default(), |all, total| Total {
        time: all.time + total.time,
        flops: all.flops + total.flops,
    });
    for (name, total) in
        ["forward", "input gradient", "weight gradient", "all"].iter().zip(totals.into_iter().chain([all]))
    {
        let Total { time, flops } = total;
        let rate = flops / time.as_secs_f64() / 1e9;
        println!(
            "{name:>24}: {:8.1} ms, {rate:.0} GFLOP/s, {:.0} %",
            time.as_secs_f64() * 1e3,
            100.0 * rate / peak
        );
    }
}

/// What one of the three products takes over all layers.
#[derive(Clone, Copy, Default)]
struct Total {
    time: Duration,
    flops: f64,
}

/// The place of the gradient to the input among the three products.
const INPUT_GRADIENT: usize = 1;

/// Best times of forward, input gradient and weight gradient.
fn time_layer<T: Element>(isa: Isa, shape: &Conv2dShape) -> [Duration; 3] {
    let ramp = |len: usize| -> Vec<T> { (0..len).map(|i| T::from_f32((i % 17) as f32 - 8.0)).collect() };
    let (input, output_gradient) = (ramp(shape.input_len()), ramp(shape.output_len()));
    let weights: Vec<f32> = (0..shape.weight_len()).map(|i| (i % 13) as f32 - 6.0).collect();
    let forward = PackedWeights::<T>::new(isa, shape, Direction::Forward, &weights);
    let backward = PackedWeights::<T>::new(isa, shape, Direction::InputGradient, &weights);
    let (mut output, mut input_gradient) = (ramp(shape.output_len()), ramp(shape.input_len()));
    let mut weight_gradient = vec![0.0; shape.weight_len()];
    [
        best(|| conv::forward(shape, &input, &forward, Epilogue::default(), &mut output)),
        best(|| conv::input_gradient(shape, &output_gradient, &backward, &mut input_gradient)),
        best(|| conv::weight_gradient(isa, shape, &input, &output_gradient, &mut weight_gradient)),
    ]
}

fn best(mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..REPEATS).map(time).min().expect("at least one repeat")
}
