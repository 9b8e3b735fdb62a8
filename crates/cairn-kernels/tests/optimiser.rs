//! Optimiser steps against PyTorch's, and the gradient norm.

mod reference;

use cairn_kernels::Isa;
use cairn_kernels::optimiser::{Adam, AdamMoments, Decay, Sgd, gradient_norm, lerp, scale};
use reference::{on_threads, random};

const WEIGHTS: [f32; 5] = [0.5, -1.0, 2.0, 0.0, 0.125];
const GRADIENTS: [[f32; 5]; 3] =
    [[0.1, -0.2, 0.3, 0.0, 1e-3], [-0.05, 0.4, 0.3, 0.0, -2e-3], [0.2, 0.1, -0.6, 1.0, 5e-4]];

/// The weights after each step, from optimiser_reference.py (torch 2.11.0).
type Steps = [[f64; 5]; 3];

const SGD: Steps = [
    [0.4895, -0.979, 1.968, 0.0, 0.124775],
    [0.4845605, -0.999121, 1.907232, 0.0, 0.124647725],
    [0.45963039, -1.02623078, 1.91063357, -0.1, 0.12435853],
];
const SGD_NESTEROV: Steps = [
    [0.48005, -0.9601, 1.9392, 0.0, 0.1245725],
    [0.480132905, -1.01726581, 1.85259552, 0.0, 0.124533562],
    [0.437227312, -1.05064632, 1.91387684, -0.19, 0.12409902],
];
const SGD_PLAIN: Steps =
    [[0.49, -0.98, 1.97, 0.0, 0.1249], [0.495, -1.02, 1.94, 0.0, 0.1251], [0.475, -1.03, 2.0, -0.1, 0.12505]];
const ADAM: Steps = [
    [0.490000001, -0.99, 1.99, 0.0, 0.115000007],
    [0.483349201, -0.990542954, 1.98000053, 0.0, 0.105237253],
    [0.475223551, -0.990976884, 1.97644516, -0.00638813588, 0.0954132618],
];
const ADAMW: Steps = [
    [0.4895001, -0.98900005, 1.98800003, 0.0, 0.11488499],
    [0.486899256, -0.992221065, 1.97601207, 0.0, 0.118977476],
    [0.479492625, -0.995755308, 1.97565485, -0.00706309359, 0.120283572],
];

/// Takes three steps on many copies of the five weights, so that vectors and their rests both occur.
fn check(expected: &Steps, mut step: impl FnMut(Isa, u32, &mut [f32], &[f32], &mut [Vec<f32>; 2])) {
    const COPIES: usize = 7;
    for isa in Isa::available() {
        let mut weights = WEIGHTS.repeat(COPIES);
        let mut state = [vec![0.0; weights.len()], vec![0.0; weights.len()]];
        for (index, (gradient, expected)) in GRADIENTS.iter().zip(expected).enumerate() {
            step(isa, index as u32 + 1, &mut weights, &gradient.repeat(COPIES), &mut state);
            for (weight, expected) in weights.iter().zip(expected.repeat(COPIES)) {
                let error = (f64::from(*weight) - expected).abs();
                assert!(error < 3e-7, "{}, step {}: {weight} for {expected}", isa.name(), index + 1);
            }
        }
    }
}

#[test]
fn sgd_takes_pytorchs_steps() {
    let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01, nesterov: false };
    let nesterov = Sgd { nesterov: true, ..sgd };
    let plain = Sgd { momentum: 0.0, weight_decay: 0.0, ..sgd };
    for (sgd, expected) in [(sgd, SGD), (nesterov, SGD_NESTEROV), (plain, SGD_PLAIN)] {
        check(&expected, |isa, _, weights, gradient, [velocity, _]| {
            sgd.step(isa, weights, gradient, velocity);
        });
    }
}

#[test]
fn adam_and_adamw_take_pytorchs_steps() {
    let adam = Adam {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        decay: Decay::Penalty,
    };
    let adamw = Adam { beta1: 0.8, beta2: 0.99, epsilon: 1e-6, decay: Decay::Decoupled, ..adam };
    for (optimiser, expected) in [(adam, ADAM), (adamw, ADAMW)] {
        check(&expected, |isa, step, weights, gradient, [first, second]| {
            optimiser.step(isa, step, weights, gradient, AdamMoments { first, second });
        });
    }
}

#[test]
fn the_gradient_norm_is_that_of_all_gradients_and_the_same_on_any_number_of_threads() {
    let gradients = [random(100_000, 1), random(17, 2)];
    let squares = gradients.iter().flatten().map(|&value| f64::from(value) * f64::from(value));
    let expected = squares.sum::<f64>().sqrt();
    let slices: Vec<&[f32]> = gradients.iter().map(Vec::as_slice).collect();
    for isa in Isa::available() {
        let norms = [1, 2, 3].map(|threads| on_threads(threads, || gradient_norm(isa, &slices)));
        assert!((norms[0] - expected).abs() < 1e-10 * expected, "{norms:?} for {expected}");
        assert!(norms.iter().all(|norm| norm.to_bits() == norms[0].to_bits()), "{norms:?}");
    }
}

#[test]
fn a_gradient_with_a_nan_has_no_norm() {
    assert!(gradient_norm(Isa::best(), &[&[1.0, f32::NAN, 2.0]]).is_nan());
}

#[test]
fn scaling_multiplies_every_value() {
    let mut values = random(1000, 3);
    let expected: Vec<f32> = values.iter().map(|value| value * 0.25).collect();
    scale(Isa::best(), 0.25, &mut values);
    assert_eq!(values, expected);
}

#[test]
fn a_running_mean_moves_by_its_share_of_the_way() {
    for isa in Isa::available() {
        let (mut mean, values) = (random(1001, 3), random(1001, 4));
        let before = mean.clone();
        lerp(isa, 0.25, &mut mean, &values);
        for ((found, before), value) in mean.iter().zip(before).zip(values) {
            let exact = 0.75 * f64::from(before) + 0.25 * f64::from(value);
            assert!((f64::from(*found) - exact).abs() < 1e-6, "{}: {found}, expected {exact}", isa.name());
        }
    }
}
