//! Maps of bytes value by value.

use super::quantisation::{Quantisation, level};
use crate::isa::Isa;
use crate::shape::check_len;
use crate::vectorised::vectorised;

/// The sum of two maps as levels: `a * scales[0] + b * scales[1] + offset`, clamped and rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addition {
    /// Factors of the maps' levels.
    pub scales: [f32; 2],
    /// Added once.
    pub offset: f32,
    /// The lowest and the highest level.
    pub bounds: [f32; 2],
}

vectorised! {
    fn add_levels(addition: Addition, a: &[u8], b: &[u8], output: &mut [u8]) {
        let Addition { scales, offset, bounds: [low, high] } = addition;
        for ((to, a), b) in output.iter_mut().zip(a).zip(b) {
            *to = level(f32::from(*a) * scales[0] + offset + f32::from(*b) * scales[1], low, high);
        }
    }
}

/// Adds two maps.
///
/// # Panics
/// When lengths differ.
pub fn add(isa: Isa, addition: Addition, [a, b]: [&[u8]; 2], output: &mut [u8]) {
    check_len("first map", a.len(), output.len());
    check_len("second map", b.len(), output.len());
    add_levels(isa, addition, a, b, output);
}

/// The levels that a table gives for those of a map: any function of one value.
///
/// # Panics
/// When lengths differ.
pub fn look_up(table: &[u8; 256], input: &[u8], output: &mut [u8]) {
    check_len("input", input.len(), output.len());
    for (to, from) in output.iter_mut().zip(input) {
        *to = table[usize::from(*from)];
    }
}

vectorised! {
    fn to_levels(quantisation: Quantisation, values: &[f32], levels: &mut [u8]) {
        for (to, from) in levels.iter_mut().zip(values) {
            *to = quantisation.level(*from);
        }
    }
}

/// The levels nearest to values; no number is level 0.
///
/// # Panics
/// When lengths differ.
pub fn quantise(isa: Isa, quantisation: Quantisation, values: &[f32], levels: &mut [u8]) {
    check_len("values", values.len(), levels.len());
    to_levels(isa, quantisation, values, levels);
}

vectorised! {
    fn to_values(quantisation: Quantisation, levels: &[u8], values: &mut [f32]) {
        for (to, from) in values.iter_mut().zip(levels) {
            *to = quantisation.value(*from);
        }
    }
}

/// The values of levels.
///
/// # Panics
/// When lengths differ.
pub fn dequantise(isa: Isa, quantisation: Quantisation, levels: &[u8], values: &mut [f32]) {
    check_len("levels", levels.len(), values.len());
    to_values(isa, quantisation, levels, values);
}
