//! Kernels of bytes against their definitions: the same bits on every instruction set and any number of threads.

mod reference;

use cairn_kernels::int8::{self, Addition, ByteConv, Dot, Quantisation, Requantise};
use cairn_kernels::pool::{MaxPoolOptions, MaxPoolShape};
use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Isa, Padding};
use proptest::prelude::*;
use reference::{on_threads, random};

/// Bytes of every value, the extremes among them.
fn bytes(count: usize, seed: u64) -> Vec<u8> {
    random(count, seed).into_iter().map(|value| (value * 200.0 + 128.0).clamp(0.0, 255.0) as u8).collect()
}

/// Weights of every value, the extremes among them.
fn weights(count: usize, seed: u64) -> Vec<i8> {
    random(count, seed).into_iter().map(|value| (value * 100.0).clamp(-127.0, 127.0) as i8).collect()
}

/// Scales and offsets that spread sums of this many products over the levels and beyond them.
fn requantise(outputs: usize, products: usize, residual: bool, seed: u64) -> Requantise {
    let unit = 255.0 / (products as f32 * 8000.0);
    let scales = random(outputs, seed).into_iter().map(|value| (value + 0.5) * unit).collect();
    let offsets = random(outputs, seed + 1).into_iter().map(|value| value * 90.0 + 100.0).collect();
    let (low, high) = if seed.is_multiple_of(2) { (0.0, 255.0) } else { (3.0, 250.5) };
    Requantise { scales, offsets, residual: if residual { 0.375 } else { 0.0 }, low, high }
}

/// The level of a number, by the standard library's rounding.
fn level(value: f32, low: f32, high: f32) -> u8 {
    value.max(low).min(high).round_ties_even() as u8
}

/// A convolution as its definition reads.
fn convolved(
    shape: &Conv2dShape,
    input: &[u8],
    weights: &[i8],
    zeros: &[u8],
    requantise: &Requantise,
    residual: Option<&[u8]>,
) -> Vec<u8> {
    let Conv2dOptions { batch, map, inputs, outputs, kernel, stride, groups, .. } = *shape.options();
    let (output_map, leading) = (shape.output_map(), shape.leading_zeros());
    let (group_inputs, group_outputs) = (inputs / groups, outputs / groups);
    let mut levels = Vec::with_capacity(shape.output_len());
    for photo in 0..batch {
        for (y, x) in (0..output_map.height).flat_map(|y| (0..output_map.width).map(move |x| (y, x))) {
            for output in 0..outputs {
                let mut sum = 0_i64;
                for channel in 0..group_inputs {
                    let source = output / group_outputs * group_inputs + channel;
                    for (ky, kx) in
                        (0..kernel.height).flat_map(|ky| (0..kernel.width).map(move |kx| (ky, kx)))
                    {
                        let row =
                            (y * stride + ky).checked_sub(leading.height).filter(|&row| row < map.height);
                        let column =
                            (x * stride + kx).checked_sub(leading.width).filter(|&column| column < map.width);
                        let level = match row.zip(column) {
                            Some((row, column)) => {
                                input[((photo * map.height + row) * map.width + column) * inputs + source]
                            }
                            None => zeros[source],
                        };
                        let at = ((output * group_inputs + channel) * kernel.height + ky) * kernel.width + kx;
                        sum += i64::from(level) * i64::from(weights[at]);
                    }
                }
                let sum = i32::try_from(sum).expect("a sum of 32 bits");
                let mut value = sum as f32 * requantise.scales[output] + requantise.offsets[output];
                if let Some(residual) = residual {
                    value += f32::from(residual[levels.len()]) * requantise.residual;
                }
                levels.push(level(value, requantise.low, requantise.high));
            }
        }
    }
    levels
}

/// Holds every kernel of the machine to the definition, on one thread and on three.
fn check(options: Conv2dOptions, residual: bool, seed: u64) -> Result<(), TestCaseError> {
    let Ok(shape) = Conv2dShape::new(options) else { return Err(TestCaseError::reject("no such layer")) };
    let Conv2dOptions { inputs, outputs, kernel, groups, .. } = options;
    let (input, weights) = (bytes(shape.input_len(), seed), weights(shape.weight_len(), seed + 1));
    let (zeros, residual) = (bytes(inputs, seed + 2), residual.then(|| bytes(shape.output_len(), seed + 3)));
    let products = inputs / groups * kernel.area();
    let requantise = requantise(outputs, products, residual.is_some(), seed);
    let expected = convolved(&shape, &input, &weights, &zeros, &requantise, residual.as_deref());
    for dot in Dot::available() {
        let conv = ByteConv::new(dot, &shape, &weights, &zeros, requantise.clone());
        for threads in [1, 3] {
            let mut output = vec![77; shape.output_len()];
            on_threads(threads, || conv.forward(&shape, &input, residual.as_deref(), &mut output));
            prop_assert_eq!(&output, &expected, "{} on {} threads: {:?}", dot.name(), threads, options);
        }
    }
    Ok(())
}

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![(0_usize..4).prop_map(Padding::Each), Just(Padding::Same)]
}

fn extent(most: usize) -> impl Strategy<Value = Extent> {
    (1..=most, 1..=most).prop_map(|(height, width)| Extent { height, width })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn dense_convolutions_of_any_size_are_their_definition(
        batch in 1_usize..4, map in extent(20), inputs in 1_usize..40, outputs in 1_usize..90, kernel in extent(4),
        stride in 1_usize..4, padding in padding(), residual: bool, seed in 0_u64..1000,
    ) {
        let options = Conv2dOptions { batch, map, inputs, outputs, kernel, stride, padding, groups: 1 };
        check(options, residual, seed)?;
    }

    #[test]
    fn pixels_times_channels_are_their_definition(
        batch in 1_usize..3, map in extent(24), words in 1_usize..30, outputs in 1_usize..150, stride in 1_usize..3,
        residual: bool, seed in 0_u64..1000,
    ) {
        let (kernel, padding) = (Extent::square(1), Padding::Each(0));
        let options = Conv2dOptions { batch, map, inputs: 4 * words, outputs, kernel, stride, padding, groups: 1 };
        check(options, residual, seed)?;
    }

    #[test]
    fn depthwise_convolutions_of_any_size_are_their_definition(
        batch in 1_usize..3, map in extent(14), channels in 2_usize..150, kernel in extent(6), stride in 1_usize..4,
        padding in padding(), seed in 0_u64..1000,
    ) {
        let (inputs, outputs, groups) = (channels, channels, channels);
        check(Conv2dOptions { batch, map, inputs, outputs, kernel, stride, padding, groups }, false, seed)?;
    }

    #[test]
    fn max_pools_are_their_definition(
        batch in 1_usize..3, map in extent(14), channels in 1_usize..70, window in 1_usize..5, stride in 1_usize..4,
        pad in 0_usize..3, ceil_mode: bool, seed in 0_u64..1000,
    ) {
        let padding = pad.min(window / 2);
        let options = MaxPoolOptions { batch, map, channels, window, stride, padding, ceil_mode };
        let Ok(shape) = MaxPoolShape::new(options) else { return Err(TestCaseError::reject("no such layer")) };
        let input = bytes(shape.input_len(), seed);
        let mut expected = Vec::new();
        let positions = shape.output_map();
        for photo in 0..batch {
            for (y, x) in (0..positions.height).flat_map(|y| (0..positions.width).map(move |x| (y, x))) {
                for channel in 0..channels {
                    let rows = (y * stride).saturating_sub(padding)..(y * stride + window - padding).min(map.height);
                    let columns = (x * stride).saturating_sub(padding)..(x * stride + window - padding).min(map.width);
                    let at = |row: usize, column: usize| ((photo * map.height + row) * map.width + column) * channels;
                    let seen = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
                    let greatest = seen.map(|(row, column)| input[at(row, column) + channel]).max();
                    expected.push(greatest.expect("a window has a pixel"));
                }
            }
        }
        for isa in Isa::available() {
            let mut output = vec![77; shape.output_len()];
            int8::max_pool(isa, &shape, &input, &mut output);
            prop_assert_eq!(&output, &expected, "{:?}", isa);
        }
    }

    #[test]
    fn sums_and_conversions_are_their_definition(
        count in 1_usize..300, scales in (0.01_f32..3.0, 0.01_f32..3.0), zero_point: u8, seed in 0_u64..1000,
    ) {
        let (a, b) = (bytes(count, seed), bytes(count, seed + 1));
        let scales = [scales.0, scales.1];
        let addition = Addition { scales, offset: -20.25, bounds: [f32::from(zero_point) / 2.0, 255.0] };
        let expected: Vec<u8> = a.iter().zip(&b).map(|(&a, &b)| {
            let value = f32::from(a) * scales[0] + addition.offset + f32::from(b) * scales[1];
            level(value, addition.bounds[0], 255.0)
        }).collect();
        let quantisation = Quantisation { scale: scales[0], zero_point };
        let table: [u8; 256] = std::array::from_fn(|level| (level as u8).wrapping_mul(3));
        for isa in Isa::available() {
            let mut output = vec![77; count];
            int8::add(isa, addition, [&a, &b], &mut output);
            prop_assert_eq!(&output, &expected, "{:?}", isa);
            let mut values = vec![f32::NAN; count];
            int8::dequantise(isa, quantisation, &a, &mut values);
            prop_assert!(values.iter().zip(&a).all(|(value, level)| *value == quantisation.value(*level)));
            int8::quantise(isa, quantisation, &values, &mut output);
            prop_assert_eq!(&output, &a, "levels survive the way through values: {:?}", isa);
        }
        let mut output = vec![77; count];
        int8::look_up(&table, &a, &mut output);
        prop_assert!(output.iter().zip(&a).all(|(to, from)| *to == from.wrapping_mul(3)));
    }

    #[test]
    fn averages_are_means_of_values(area in 1_usize..60, channels in 1_usize..70, zero_point: u8, seed in 0_u64..100) {
        let (input, quantisation) = (bytes(2 * area * channels, seed), Quantisation { scale: 0.125, zero_point });
        for isa in Isa::available() {
            let mut means = vec![f32::NAN; 2 * channels];
            int8::average(isa, channels, area, quantisation, &input, &mut means);
            for (at, mean) in means.into_iter().enumerate() {
                let photo = &input[at / channels * area * channels..][..area * channels];
                let values = photo.iter().skip(at % channels).step_by(channels);
                let sum: f64 = values.map(|&level| f64::from(quantisation.value(level))).sum();
                prop_assert!((f64::from(mean) - sum / area as f64).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn sums_of_the_greatest_products_are_exact() {
    // A product of 255 and 127 is as much as 16 bits hold, and two of them more; the sums end near the end of 32 bits.
    for (sign, expected) in [(1, 200), (-1, 55)] {
        for (inputs, kernel) in [(4096, 4), (512, 3), (3, 7)] {
            let options = Conv2dOptions {
                batch: 1,
                map: Extent::square(kernel),
                inputs,
                outputs: 3,
                kernel: Extent::square(kernel),
                stride: 1,
                padding: Padding::Each(0),
                groups: 1,
            };
            let shape = Conv2dShape::new(options).unwrap();
            assert!(ByteConv::serves(&shape), "{shape:?}");
            let products = (inputs * kernel * kernel) as f32;
            // The sum in f32 is near enough: it is exact in the kernel, and its level is not near a half.
            let scale = 72.5 / (products * 255.0 * 127.0);
            let requantise = Requantise::new(vec![scale; 3], vec![127.6; 3]);
            let (input, weights) = (vec![255; shape.input_len()], vec![127 * sign; shape.weight_len()]);
            for dot in Dot::available() {
                let conv = ByteConv::new(dot, &shape, &weights, &vec![0; inputs], requantise.clone());
                let mut output = [0; 3];
                conv.forward(&shape, &input, None, &mut output);
                assert_eq!(output, [expected; 3], "{} of {inputs} x {kernel} x {kernel}", dot.name());
            }
        }
    }
    let large = Conv2dOptions {
        batch: 1,
        map: Extent::square(8),
        inputs: 2048,
        outputs: 1,
        kernel: Extent::square(8),
        stride: 1,
        padding: Padding::Each(0),
        groups: 1,
    };
    assert!(!ByteConv::serves(&Conv2dShape::new(large).unwrap()), "sums that 32 bits may not hold");
}

#[test]
fn a_convolution_serves_maps_of_any_size() {
    let layer = |batch: usize, side: usize| {
        let (map, kernel, padding) = (Extent::square(side), Extent::square(3), Padding::Each(1));
        let options =
            Conv2dOptions { batch, map, inputs: 8, outputs: 5, kernel, stride: 2, padding, groups: 1 };
        Conv2dShape::new(options).unwrap()
    };
    let (weights, requantise) = (weights(layer(1, 9).weight_len(), 5), requantise(5, 72, false, 6));
    for dot in Dot::available() {
        let conv = ByteConv::new(dot, &layer(1, 9), &weights, &[7; 8], requantise.clone());
        for (batch, side) in [(1, 9), (2, 3), (5, 30)] {
            let shape = layer(batch, side);
            let input = bytes(shape.input_len(), 9);
            let mut output = vec![77; shape.output_len()];
            conv.forward(&shape, &input, None, &mut output);
            assert_eq!(output, convolved(&shape, &input, &weights, &[7; 8], &requantise, None), "{shape:?}");
        }
    }
}
