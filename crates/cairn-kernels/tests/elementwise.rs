//! Activations, residual adds and conversions.

mod reference;

use cairn_kernels::elementwise::{activate, activate_backward, add, convert};
use cairn_kernels::{Clamp, Element, Isa};
use half::bf16;
use reference::{bits, poisoned, random, random_map, sets};

/// Long enough for two tasks, and no whole number of vectors.
const LEN: usize = 40_001;

fn check_activations<T: Element>() {
    let scaled: Vec<T> = random(LEN, 1).iter().map(|x| T::from_f32(x * 4.0)).collect();
    let gradient = random_map::<T>(LEN, 2);
    for isa in sets::<T>() {
        for (activation, low, high) in
            [(Clamp::Identity, f32::MIN, f32::MAX), (Clamp::Relu, 0.0, f32::MAX), (Clamp::Relu6, 0.0, 6.0)]
        {
            let (mut output, mut input_gradient) = (poisoned::<T>(LEN), poisoned::<T>(LEN));
            activate(isa, activation, &scaled, &mut output);
            activate_backward(isa, activation, &output, &gradient, &mut input_gradient);
            for i in 0..LEN {
                let x = scaled[i].to_f32();
                assert_eq!(output[i].to_f32(), x.clamp(low, high));
                let passed = if x > low && x < high { gradient[i].to_f32() } else { 0.0 };
                assert_eq!(input_gradient[i].to_f32(), passed, "{activation:?} of {x}");
            }
        }
    }
}

#[test]
fn activations_clamp_and_pass_the_gradient_between_their_bounds() {
    check_activations::<f32>();
    check_activations::<bf16>();
}

#[test]
fn nan_comes_through_activations_both_ways() {
    for isa in Isa::available() {
        let mut output = [0.0];
        activate(isa, Clamp::Relu6, &[f32::NAN], &mut output);
        assert!(output[0].is_nan());
        let mut gradient = [0.0];
        activate_backward(isa, Clamp::Relu, &[f32::NAN], &[3.0], &mut gradient);
        assert_eq!(gradient[0], 3.0);
        activate_backward(isa, Clamp::Relu, &[1.0], &[f32::NAN], &mut gradient);
        assert!(gradient[0].is_nan());
    }
}

#[test]
fn a_residual_add_adds_and_activates() {
    let (left, right) = (random(LEN, 3), random(LEN, 4));
    for isa in Isa::available() {
        let mut output = poisoned::<f32>(LEN);
        add(isa, Clamp::Relu, &left, &right, &mut output);
        assert!(output.iter().zip(left.iter().zip(&right)).all(|(y, (a, b))| *y == (a + b).max(0.0)));
    }
}

#[test]
fn conversions_round_to_the_nearest_and_back_is_exact() {
    let values = random(LEN, 5);
    for isa in Isa::available() {
        let (mut narrow, mut back) = (poisoned::<bf16>(LEN), poisoned::<f32>(LEN));
        convert(isa, &values, &mut narrow);
        convert(isa, &narrow, &mut back);
        let expected: Vec<f32> = values.iter().map(|&value| bf16::from_f32(value).to_f32()).collect();
        assert_eq!(bits(&back), bits(&expected));
    }
}
