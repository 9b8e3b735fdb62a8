//! Pools against PyTorch's and against the definition.

mod reference;

use cairn_kernels::pool::{
    MaxPoolOptions, MaxPoolShape, global_average_pool, global_average_pool_backward, max_pool,
    max_pool_backward,
};
use cairn_kernels::{Element, Extent, Isa, ShapeError};
use half::bf16;
use proptest::prelude::*;
use reference::{assert_near, poisoned, random, random_map, tolerance, wide};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

#[rustfmt::skip]
const MAP: [f32; 25] = [
    1.0, 1.0, -2.0, NAN, 0.5,
    1.0, 3.0, NAN, 4.0, -INF,
    -1.0, INF, 2.0, 2.0, -INF,
    -INF, -INF, 7.0, 7.0, -3.0,
    -INF, -INF, 7.0, -7.0, -3.0,
];

const SQUARE: MaxPoolOptions = MaxPoolOptions {
    batch: 1,
    map: Extent::square(5),
    channels: 1,
    window: 2,
    stride: 2,
    padding: 0,
    ceil_mode: false,
};

/// A pool of [`MAP`]: its values and their places in the map, from pool_reference.py (torch 2.11.0).
struct Case {
    options: MaxPoolOptions,
    values: &'static [f32],
    places: &'static [usize],
}

const CASES: [Case; 4] = [
    Case { options: SQUARE, values: &[3.0, NAN, INF, 7.0], places: &[6, 7, 11, 17] },
    Case {
        options: MaxPoolOptions { window: 3, padding: 1, ..SQUARE },
        values: &[3.0, NAN, NAN, INF, NAN, 7.0, -INF, 7.0, 7.0],
        places: &[6, 7, 3, 11, 7, 18, 15, 17, 18],
    },
    Case {
        options: MaxPoolOptions { ceil_mode: true, ..SQUARE },
        values: &[3.0, NAN, 0.5, INF, 7.0, -3.0, -INF, 7.0, -3.0],
        places: &[6, 7, 4, 11, 17, 19, 20, 22, 24],
    },
    // A third window along each axis would begin behind the map, in the padding.
    Case {
        options: MaxPoolOptions { stride: 3, padding: 1, ceil_mode: true, ..SQUARE },
        values: &[1.0, NAN, -1.0, 7.0],
        places: &[0, 3, 10, 17],
    },
];

#[test]
fn ties_nan_and_infinities_are_treated_as_in_pytorch() {
    for isa in Isa::available() {
        for Case { options, values, places } in CASES {
            let MaxPoolOptions { window, stride, padding, .. } = options;
            let shape = MaxPoolShape::new(options).unwrap();
            let (mut output, mut taps) = (poisoned::<f32>(values.len()), vec![0xff; values.len()]);
            max_pool(isa, &shape, &MAP, &mut output, &mut taps);
            for (index, (actual, expected)) in output.iter().zip(values).enumerate() {
                assert!(
                    actual == expected || (actual.is_nan() && expected.is_nan()),
                    "{actual} for {expected}"
                );
                let (row, column) = (index / shape.output_map().width, index % shape.output_map().width);
                let tap = usize::from(taps[index]);
                let place =
                    (row * stride + tap / window - padding) * 5 + column * stride + tap % window - padding;
                assert_eq!(place, places[index]);
            }
        }
    }
}

/// Forward and backward from the definition: the greatest of each window (no ties, no NaN), and where its gradient goes.
fn check_max_pool<T: Element>(options: MaxPoolOptions, seed: u64) {
    let MaxPoolOptions { map, channels, window, stride, padding, .. } = options;
    let Ok(shape) = MaxPoolShape::new(options) else { return };
    // Distinct values that bf16 holds exactly: a permutation of whole numbers for each channel's plane.
    let value = |i: usize| ((i * 167 + seed as usize) % 251) as f32 - 125.0;
    let input: Vec<T> = (0..shape.input_len()).map(|i| T::from_f32(value(i / channels))).collect();
    let output_gradient = random_map::<T>(shape.output_len(), seed);
    let (mut expected, mut expected_gradient) = (vec![0.0; shape.output_len()], vec![0.0; shape.input_len()]);
    let outputs = shape.output_map();
    for at in 0..shape.output_len() {
        let (pixel, channel) = (at / channels, at % channels);
        let (photo, place) = (pixel / outputs.area(), pixel % outputs.area());
        let (y, x) = (place / outputs.width * stride, place % outputs.width * stride);
        let taps = (0..window * window).filter_map(|tap| {
            let (row, column) =
                ((y + tap / window).checked_sub(padding)?, (x + tap % window).checked_sub(padding)?);
            let inside = row < map.height && column < map.width;
            inside.then(|| ((photo * map.height + row) * map.width + column) * channels + channel)
        });
        let greatest = taps
            .max_by(|a, b| input[*a].to_f32().total_cmp(&input[*b].to_f32()).then(b.cmp(a)))
            .expect("no window is empty");
        expected[at] = f64::from(input[greatest].to_f32());
        expected_gradient[greatest] += f64::from(output_gradient[at].to_f32());
    }
    for isa in reference::sets::<T>() {
        let (mut output, mut taps) = (poisoned::<T>(shape.output_len()), vec![0xff; shape.output_len()]);
        max_pool(isa, &shape, &input, &mut output, &mut taps);
        assert_near("output", &output, &expected, 0.0);
        let mut gradient = poisoned::<T>(shape.input_len());
        max_pool_backward(isa, &shape, &taps, &output_gradient, &mut gradient);
        assert_near("gradient", &gradient, &expected_gradient, tolerance::<T>());
    }
}

fn check_average<T: Element>(photos: usize, pixels: usize, channels: usize, seed: u64) {
    let input = random_map::<T>(photos * pixels * channels, seed);
    let gradient = random(photos * channels, seed + 1);
    let (mut expected, mut expected_gradient) = (vec![0.0; photos * channels], vec![0.0; input.len()]);
    for (at, x) in wide(&input).into_iter().enumerate() {
        let mean = at / (pixels * channels) * channels + at % channels;
        expected[mean] += x / pixels as f64;
        expected_gradient[at] = f64::from(gradient[mean]) / pixels as f64;
    }
    for isa in reference::sets::<T>() {
        let (mut output, mut input_gradient) = (poisoned::<f32>(expected.len()), poisoned::<T>(input.len()));
        global_average_pool(isa, channels, &input, &mut output);
        assert_near("mean", &output, &expected, tolerance::<f32>());
        global_average_pool_backward(isa, channels, &gradient, &mut input_gradient);
        assert_near("share", &input_gradient, &expected_gradient, tolerance::<T>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn max_pool_takes_the_greatest_and_its_gradient_goes_there(
        batch in 1usize..3, height in 1usize..14, width in 1usize..14, channels in 1usize..70,
        (window, stride, padding) in prop::sample::select(vec![(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 1), (5, 2, 2), (1, 1, 0)]),
        ceil_mode: bool, seed in 0u64..200,
    ) {
        let options = MaxPoolOptions { batch, map: Extent { height, width }, channels, window, stride, padding, ceil_mode };
        check_max_pool::<f32>(options, seed);
        check_max_pool::<bf16>(options, seed);
    }

    #[test]
    fn the_average_pool_is_the_mean_and_shares_its_gradient(
        photos in 1usize..5, pixels in 1usize..60, channels in 1usize..70, seed in 0u64..200,
    ) {
        check_average::<f32>(photos, pixels, channels, seed);
        check_average::<bf16>(photos, pixels, channels, seed);
    }
}

#[test]
fn windows_that_would_be_empty_are_refused() {
    let refused = |options| MaxPoolShape::new(options).is_err();
    assert!(refused(MaxPoolOptions { padding: 2, ..SQUARE }));
    assert!(refused(MaxPoolOptions { window: 6, ..SQUARE }));
    assert!(refused(MaxPoolOptions { map: Extent::square(40), window: 17, ..SQUARE }));
}

#[test]
fn pools_that_cannot_be_counted_are_refused() {
    let huge = Extent::square(1 << 32);
    for (options, expected) in [
        // 2^32 pixels along either axis: their product is 0 in 64 bits.
        (MaxPoolOptions { window: 1 << 32, map: huge, ..SQUARE }, ShapeError::PoolWindow(1 << 32)),
        (MaxPoolOptions { map: huge, ..SQUARE }, ShapeError::TooLarge("maps")),
        (MaxPoolOptions { batch: 1 << 32, channels: 1 << 32, ..SQUARE }, ShapeError::TooLarge("maps")),
    ] {
        assert_eq!(MaxPoolShape::new(options), Err(expected), "{options:?}");
    }
    assert!(MaxPoolShape::new(MaxPoolOptions { window: 16, map: Extent::square(16), ..SQUARE }).is_ok());
}
