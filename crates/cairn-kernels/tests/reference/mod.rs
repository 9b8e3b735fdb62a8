//! The layers as their definitions read, in f64 and without a thought for speed, and what tests compare with.
//!
//! Every test binary uses a part of it.
#![allow(dead_code)]

pub(crate) mod batch_norm;
pub(crate) mod convolution;

use cairn_kernels::{Element, Isa};

/// Numbers about a unit from zero, the same for the same seed: a linear congruential generator, top bits.
pub(crate) fn random(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    // The sum of three even ones is bell-shaped enough.
    (0..count).map(|_| (next() + next() + next() - 1.5) * 2.0).collect()
}

/// Random numbers as a map's elements.
pub(crate) fn random_map<T: Element>(count: usize, seed: u64) -> Vec<T> {
    random(count, seed).into_iter().map(T::from_f32).collect()
}

/// Elements as f64.
pub(crate) fn wide<T: Element>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| f64::from(value.to_f32())).collect()
}

/// A map full of NaN, so that elements that are not written show.
pub(crate) fn poisoned<T: Element>(count: usize) -> Vec<T> {
    vec![T::from_f32(f32::NAN); count]
}

/// How far values may be off, relative to the largest expected one: 1e-5 for f32, 1e-2 for bf16.
pub(crate) fn tolerance<T: Element>() -> f64 {
    if size_of::<T>() == 4 { 1e-5 } else { 1e-2 }
}

/// Panics unless every value is near the expected one, relative to the largest of these.
#[track_caller]
pub(crate) fn assert_near<T: Element>(what: &str, actual: &[T], expected: &[f64], tolerance: f64) {
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert_within(what, actual, expected, tolerance * largest);
}

/// Panics unless every value is within so much of the expected one.
#[track_caller]
pub(crate) fn assert_within<T: Element>(what: &str, actual: &[T], expected: &[f64], most: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let error = (f64::from(actual.to_f32()) - expected).abs();
        assert!(
            error <= most,
            "{what}: element {index} is {actual:?}, expected {expected}; {error:.1e} > {most:.1e}"
        );
    }
}

/// Sums of products, and how large such sums are.
pub(crate) struct Sums {
    pub(crate) values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    pub(crate) fn zeros(count: usize) -> Self {
        Self { values: vec![0.0; count], squares: vec![0.0; count] }
    }

    /// Adds a term to one of the sums.
    pub(crate) fn add(&mut self, at: usize, term: f64) {
        self.values[at] += term;
        self.squares[at] += term * term;
    }

    /// What errors are relative to: the largest sum, or what its terms come to when their signs are random. Where there is
    /// but a handful of sums, all of them may happen to cancel, which no arithmetic can do without error.
    pub(crate) fn scale(&self) -> f64 {
        let random = self.squares.iter().fold(0.0_f64, |largest, square| largest.max(square.sqrt()));
        self.values.iter().fold(random, |largest, value| largest.max(value.abs()))
    }

    /// Panics unless every value is near its sum.
    #[track_caller]
    pub(crate) fn assert_near<T: Element>(&self, what: &str, actual: &[T], tolerance: f64) {
        assert_within(what, actual, &self.values, tolerance * self.scale());
    }
}

/// The instruction sets of this machine that have maps of this type, and for bf16 the model of AMX's tile unit.
pub(crate) fn sets<T: Element>() -> Vec<Isa> {
    let sets = Isa::available().chain([Isa::AmxModel]);
    sets.filter(|isa| if size_of::<T>() == 4 { *isa != Isa::AmxModel } else { isa.has_bf16() }).collect()
}

/// Runs a computation on so many threads.
pub(crate) fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads").install(work)
}

/// The bits of a map, to compare NaN with NaN and zero with minus zero.
pub(crate) fn bits<T: Element>(values: &[T]) -> Vec<u32> {
    values.iter().map(|value| value.to_f32().to_bits()).collect()
}
