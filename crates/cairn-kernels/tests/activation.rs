//! Clamp functions that bend, against their definitions in f64.

mod reference;

use cairn_kernels::{Activation, Element};
use half::bf16;
use reference::{assert_within, poisoned, random, random_map, sets, wide};

/// Long enough for three tasks, and no whole number of vectors.
const LEN: usize = 40_001;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The standard normal distribution by Simpson's rule, to far beyond f32.
fn normal(x: f64) -> f64 {
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let steps = 200;
    let step = x / f64::from(steps);
    let terms = (0..=steps).map(|i| {
        let factor = if i == 0 || i == steps {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        };
        factor * density(f64::from(i) * step)
    });
    0.5 + terms.sum::<f64>() * step / 3.0
}

/// Value and slope by PyTorch's definitions.
fn defined(activation: Activation, x: f64) -> (f64, f64) {
    let inside = x > -3.0 && x < 3.0;
    match activation {
        Activation::Identity => (x, 1.0),
        Activation::Relu => (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
        Activation::Relu6 => (x.clamp(0.0, 6.0), if x > 0.0 && x < 6.0 { 1.0 } else { 0.0 }),
        Activation::Sigmoid => (sigmoid(x), sigmoid(x) * (1.0 - sigmoid(x))),
        Activation::Silu => (x * sigmoid(x), sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))),
        Activation::Gelu => {
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            (x * normal(x), normal(x) + x * density)
        }
        Activation::HardSigmoid => ((x + 3.0).clamp(0.0, 6.0) / 6.0, if inside { 1.0 / 6.0 } else { 0.0 }),
        Activation::HardSwish => {
            let slope = if inside { x / 3.0 + 0.5 } else { f64::from(u8::from(x >= 3.0)) };
            (x * (x + 3.0).clamp(0.0, 6.0) / 6.0, slope)
        }
    }
}

const ACTIVATIONS: [Activation; 8] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Relu6,
    Activation::Sigmoid,
    Activation::Silu,
    Activation::Gelu,
    Activation::HardSigmoid,
    Activation::HardSwish,
];

/// Those that do not clamp.
const SMOOTH: [Activation; 5] =
    [Activation::Sigmoid, Activation::Silu, Activation::Gelu, Activation::HardSigmoid, Activation::HardSwish];

/// Values and slopes to within `rounding` of numbers about as large as the arguments.
fn check_activations<T: Element>(rounding: f64) {
    let input: Vec<T> = random(LEN, 1).iter().map(|x| T::from_f32(x * 4.0)).collect();
    let gradient = random_map::<T>(LEN, 2);
    let largest = wide(&input).into_iter().fold(1.0, |largest: f64, x| largest.max(x.abs()));
    for activation in ACTIVATIONS {
        let expected: Vec<(f64, f64)> = wide(&input).into_iter().map(|x| defined(activation, x)).collect();
        let values: Vec<f64> = expected.iter().map(|(value, _)| *value).collect();
        let passed: Vec<f64> =
            expected.iter().zip(wide(&gradient)).map(|((_, slope), gradient)| slope * gradient).collect();
        for isa in sets::<T>() {
            let (mut output, mut input_gradient) = (poisoned::<T>(LEN), poisoned::<T>(LEN));
            activation.forward(isa, &input, &mut output);
            assert_within(&format!("{activation:?}"), &output, &values, rounding * largest);
            activation.backward(isa, &input, &gradient, &mut input_gradient);
            assert_within(&format!("slope of {activation:?}"), &input_gradient, &passed, rounding * largest);
        }
    }
}

#[test]
fn activations_and_their_slopes_are_those_of_the_definitions() {
    check_activations::<f32>(1e-6);
    check_activations::<bf16>(4e-3);
}

#[test]
fn far_out_smooth_activations_are_straight_lines() {
    let far = [-1e30, -200.0, 200.0, 1e30];
    for isa in sets::<f32>() {
        for activation in SMOOTH {
            let (mut output, mut slopes) = ([0.0; 4], [0.0; 4]);
            activation.forward(isa, &far, &mut output);
            activation.backward(isa, &far, &[1.0; 4], &mut slopes);
            let bounded = matches!(activation, Activation::Sigmoid | Activation::HardSigmoid);
            let right = if bounded { [1.0, 1.0] } else { [200.0, 1e30] };
            assert_eq!(output[2..], right, "{activation:?}");
            assert_eq!(slopes[2..], [f32::from(u8::from(!bounded)); 2], "{activation:?}");
            // What is left of an exponential at the end of f32's range is nothing beside one, however large the factor.
            assert!(slopes[..2].iter().all(|slope| slope.abs() < 1e-6), "{activation:?}: {slopes:?}");
            assert!(output[1].abs() < 1e-30, "{activation:?}: {output:?}");
        }
    }
}

#[test]
fn nan_comes_through_activations_both_ways() {
    for isa in sets::<f32>() {
        for activation in [Activation::Sigmoid, Activation::Silu, Activation::Gelu, Activation::HardSwish] {
            let mut output = [0.0];
            activation.forward(isa, &[f32::NAN], &mut output);
            assert!(output[0].is_nan(), "{activation:?}");
            activation.backward(isa, &[1.0], &[f32::NAN], &mut output);
            assert!(output[0].is_nan(), "{activation:?}");
        }
    }
}
