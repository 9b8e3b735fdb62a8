//! Optimiser steps as PyTorch defines them, each in one pass over memory.

use rayon::prelude::*;

use crate::isa::Isa;
use crate::shape::check_len;
use crate::vectorised::vectorised;

/// Values that a task takes at a time.
const STRETCH: usize = 16 * 1024;

/// Stochastic gradient descent with momentum (`torch.optim.SGD` without dampening).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub learning_rate: f32,
    /// The share of the last velocity that stays; zero for plain descent.
    pub momentum: f32,
    /// L2 penalty: added to the gradient, times the weight.
    pub weight_decay: f32,
    /// Nesterov's form of momentum: the step looks one velocity ahead.
    pub nesterov: bool,
}

/// How Adam treats weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// As an L2 penalty: added to the gradient (`torch.optim.Adam`).
    Penalty,
    /// Apart from the gradient: weights shrink by learning rate times decay (`torch.optim.AdamW`).
    Decoupled,
}

/// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f32,
    /// The share of the mean gradient that stays.
    pub beta1: f32,
    /// The share of the mean squared gradient that stays.
    pub beta2: f32,
    /// Added to the root of the mean squared gradient.
    pub epsilon: f32,
    /// Weight decay.
    pub weight_decay: f32,
    /// How weight decay is applied: Adam's or AdamW's way.
    pub decay: Decay,
}

impl Sgd {
    /// Updates `weights` in place. `velocity` is the optimiser's state: zeros before the first step.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn step(&self, isa: Isa, weights: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        check_len("gradient", gradient.len(), weights.len());
        check_len("velocity", velocity.len(), weights.len());
        weights
            .par_chunks_mut(STRETCH)
            .zip(velocity.par_chunks_mut(STRETCH))
            .zip(gradient.par_chunks(STRETCH))
            .for_each(|((weights, velocity), gradient)| sgd_stretch(isa, *self, weights, gradient, velocity));
    }
}

vectorised! {
    fn sgd_stretch(sgd: Sgd, weights: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        // A step is `own * gradient + ahead * velocity`, with or without Nesterov: no branch in the loop.
        let (own, ahead) = if sgd.nesterov { (1.0, sgd.momentum) } else { (0.0, 1.0) };
        for ((weight, gradient), velocity) in weights.iter_mut().zip(gradient).zip(velocity) {
            let gradient = gradient + sgd.weight_decay * *weight;
            *velocity = sgd.momentum * *velocity + gradient;
            *weight -= sgd.learning_rate * (own * gradient + ahead * *velocity);
        }
    }
}

/// Adam's state for one parameter: zeros before the first step.
#[derive(Debug)]
pub struct AdamMoments<'a> {
    /// The mean gradient.
    pub first: &'a mut [f32],
    /// The mean squared gradient.
    pub second: &'a mut [f32],
}

impl Adam {
    /// Updates `weights` in place; `step` counts from one.
    ///
    /// # Panics
    /// When lengths differ, or `step` is zero.
    pub fn step(&self, isa: Isa, step: u32, weights: &mut [f32], gradient: &[f32], moments: AdamMoments<'_>) {
        assert!(step > 0, "Adam counts its steps from one");
        check_len("gradient", gradient.len(), weights.len());
        check_len("first moments", moments.first.len(), weights.len());
        check_len("second moments", moments.second.len(), weights.len());
        let factors = AdamFactors::new(self, step);
        weights
            .par_chunks_mut(STRETCH)
            .zip(moments.first.par_chunks_mut(STRETCH).zip(moments.second.par_chunks_mut(STRETCH)))
            .zip(gradient.par_chunks(STRETCH))
            .for_each(|((weights, (first, second)), gradient)| {
                adam_stretch(isa, factors, weights, gradient, first, second);
            });
    }
}

/// The factors of a step of Adam.
#[derive(Clone, Copy)]
pub(crate) struct AdamFactors {
    adam: Adam,
    /// The factor that weights shrink by: one unless the decay is decoupled.
    pub(crate) shrink: f32,
    /// The penalty's factor, zero if the decay is decoupled.
    pub(crate) penalty: f32,
    /// Learning rate over the first moment's bias correction.
    pub(crate) rate: f32,
    /// One over the root of the second moment's bias correction.
    pub(crate) root_correction: f32,
}

impl AdamFactors {
    pub(crate) fn new(adam: &Adam, step: u32) -> Self {
        let correction = |beta: f32| 1.0 - f64::from(beta).powi(step.cast_signed());
        let (shrink, penalty) = match adam.decay {
            Decay::Penalty => (1.0, adam.weight_decay),
            Decay::Decoupled => (1.0 - adam.learning_rate * adam.weight_decay, 0.0),
        };
        Self {
            adam: *adam,
            shrink,
            penalty,
            rate: (f64::from(adam.learning_rate) / correction(adam.beta1)) as f32,
            root_correction: (1.0 / correction(adam.beta2).sqrt()) as f32,
        }
    }
}

vectorised! {
    fn adam_stretch(
        factors: AdamFactors,
        weights: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let Adam { beta1, beta2, epsilon, .. } = factors.adam;
        for (((weight, gradient), first), second) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
            let gradient = gradient + factors.penalty * *weight;
            *first += (1.0 - beta1) * (gradient - *first);
            *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
            let root = second.sqrt() * factors.root_correction + epsilon;
            *weight = *weight * factors.shrink - factors.rate * *first / root;
        }
    }
}

/// The Euclidean norm of all gradients together, for clipping and for the log.
///
/// Summed in f64 over fixed stretches, in order: the bits do not depend on the number of threads.
pub fn gradient_norm(isa: Isa, gradients: &[&[f32]]) -> f64 {
    let of_one = |gradient: &&[f32]| {
        let parts: Vec<f64> = gradient.par_chunks(STRETCH).map(|part| sum_of_squares(isa, part)).collect();
        parts.iter().sum::<f64>()
    };
    gradients.iter().map(of_one).sum::<f64>().sqrt()
}

vectorised! {
    fn sum_of_squares(values: &[f32]) -> f64 {
        /// Sums that run side by side, so that additions need not wait for each other.
        const LANES: usize = 16;
        let mut sums = [0.0_f64; LANES];
        for values in values.chunks(LANES) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        }
        sums.iter().sum()
    }
}

/// Multiplies a gradient by a factor, in place, for clipping.
pub fn scale(isa: Isa, factor: f32, gradient: &mut [f32]) {
    gradient.par_chunks_mut(STRETCH).for_each(|gradient| scale_stretch(isa, factor, gradient));
}

vectorised! {
    fn scale_stretch(factor: f32, values: &mut [f32]) {
        for value in values {
            *value *= factor;
        }
    }
}

/// Moves a running mean towards new values by a share of the way, in place: `mean + share * (value - mean)`.
///
/// # Panics
/// When lengths differ.
pub fn lerp(isa: Isa, share: f32, mean: &mut [f32], values: &[f32]) {
    check_len("values", values.len(), mean.len());
    mean.par_chunks_mut(STRETCH)
        .zip(values.par_chunks(STRETCH))
        .for_each(|(mean, values)| lerp_stretch(isa, share, mean, values));
}

vectorised! {
    fn lerp_stretch(share: f32, mean: &mut [f32], values: &[f32]) {
        for (mean, value) in mean.iter_mut().zip(values) {
            *mean += share * (value - *mean);
        }
    }
}
