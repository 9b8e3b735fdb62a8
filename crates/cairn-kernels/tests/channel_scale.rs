//! Maps times factors, against the definition in f64.

mod reference;

use cairn_kernels::Element;
use cairn_kernels::channel_scale::{factor_gradient, scale};
use half::bf16;
use proptest::prelude::*;
use reference::{Sums, assert_near, poisoned, random, random_map, sets, tolerance, wide};

fn check<T: Element>(photos: usize, pixels: usize, channels: usize, seed: u64) {
    let input = random_map::<T>(photos * pixels * channels, seed);
    let gradient = random_map::<T>(input.len(), seed + 1);
    let factors = random(photos * channels, seed + 2);
    let factor_of = |at: usize| at / (pixels * channels) * channels + at % channels;
    let (x, dy) = (wide(&input), wide(&gradient));
    let scaled: Vec<f64> =
        x.iter().enumerate().map(|(at, x)| x * f64::from(factors[factor_of(at)])).collect();
    let mut sums = Sums::zeros(factors.len());
    for at in 0..input.len() {
        sums.add(factor_of(at), x[at] * dy[at]);
    }
    for isa in sets::<T>() {
        let (mut output, mut found) = (poisoned::<T>(input.len()), poisoned::<f32>(factors.len()));
        scale(isa, channels, &input, &factors, &mut output);
        assert_near("scaled", &output, &scaled, tolerance::<T>());
        factor_gradient(isa, channels, &input, &gradient, &mut found);
        sums.assert_near("gradient to the factors", &found, tolerance::<f32>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_photo_and_channel_has_a_factor_of_its_own(
        photos in 1..4_usize,
        pixels in 1..50_usize,
        channels in 1..70_usize,
        seed in 0..1000_u64,
    ) {
        check::<f32>(photos, pixels, channels, seed);
        check::<bf16>(photos, pixels, channels, seed);
    }
}

#[test]
fn large_maps_are_scaled_in_several_tasks() {
    check::<f32>(2, 1537, 24, 1);
    check::<bf16>(2, 1537, 24, 1);
}
