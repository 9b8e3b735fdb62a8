//! Activation functions that need their input for the gradient: sigmoid, SiLU, GELU and their piecewise linear versions.

use rayon::prelude::*;

use crate::clamp::{Bounds, Clamp};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::spread_map;
use crate::vectorised::vectorised;

/// Elements that a task takes at a time.
const STRETCH: usize = 16 * 1024;

/// An activation function, as PyTorch defines it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The identity.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * sigmoid(x)` (also called Swish).
    Silu,
    /// `x * Φ(x)` with the normal distribution's Φ itself, not an approximation by `tanh`.
    Gelu,
    /// `min(max(x + 3, 0), 6) / 6`.
    HardSigmoid,
    /// `x * min(max(x + 3, 0), 6) / 6`.
    HardSwish,
}

impl From<Clamp> for Activation {
    fn from(clamp: Clamp) -> Self {
        match clamp {
            Clamp::Identity => Self::Identity,
            Clamp::Relu => Self::Relu,
            Clamp::Relu6 => Self::Relu6,
        }
    }
}

/// An [`Activation`] as a type of its own, so that loops are compiled for each.
trait Function: Copy + Sync {
    fn value(self, x: f32) -> f32;
    fn slope(self, x: f32) -> f32;
}

/// Runs an expression with `$function` standing for the activation's own type.
macro_rules! with_function {
    ($activation:expr, $function:ident => $body:expr) => {
        match $activation {
            Activation::Identity => {
                let $function = Clamped(Clamp::Identity.bounds());
                $body
            }
            Activation::Relu => {
                let $function = Clamped(Clamp::Relu.bounds());
                $body
            }
            Activation::Relu6 => {
                let $function = Clamped(Clamp::Relu6.bounds());
                $body
            }
            Activation::Sigmoid => {
                let $function = Sigmoid;
                $body
            }
            Activation::Silu => {
                let $function = Silu;
                $body
            }
            Activation::Gelu => {
                let $function = Gelu;
                $body
            }
            Activation::HardSigmoid => {
                let $function = HardSigmoid;
                $body
            }
            Activation::HardSwish => {
                let $function = HardSwish;
                $body
            }
        }
    };
}

impl Activation {
    /// The activation as a clamp, if it is one.
    pub fn as_clamp(self) -> Option<Clamp> {
        match self {
            Self::Identity => Some(Clamp::Identity),
            Self::Relu => Some(Clamp::Relu),
            Self::Relu6 => Some(Clamp::Relu6),
            _ => None,
        }
    }

    /// `output = activation(input)`.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn forward<T: Element>(self, isa: Isa, input: &[T], output: &mut [T]) {
        check_len("output", output.len(), input.len());
        with_function!(self, function => {
            spread_map(input, output, STRETCH, |input, output| forward_stretch(isa, function, input, output));
        });
    }

    /// The gradient of [`Activation::forward`], from its input and the gradient to its output.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn backward<T: Element>(
        self,
        isa: Isa,
        input: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        check_len("output gradient", output_gradient.len(), input.len());
        check_len("input gradient", input_gradient.len(), input.len());
        let from = input.par_chunks(STRETCH).zip(output_gradient.par_chunks(STRETCH));
        with_function!(self, function => {
            input_gradient.par_chunks_mut(STRETCH).zip(from).for_each(|(to, (input, output_gradient))| {
                backward_stretch(isa, function, input, output_gradient, to);
            });
        });
    }
}

vectorised! {
    fn forward_stretch<T: Element, F: Function>(function: F, input: &[T], output: &mut [T]) {
        for (to, x) in output.iter_mut().zip(input) {
            *to = T::from_f32(function.value(x.to_f32()));
        }
    }
}

vectorised! {
    fn backward_stretch<T: Element, F: Function>(
        function: F,
        input: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        for ((to, x), dy) in input_gradient.iter_mut().zip(input).zip(output_gradient) {
            *to = T::from_f32(function.slope(x.to_f32()) * dy.to_f32());
        }
    }
}

/// A [`Clamp`].
#[derive(Clone, Copy)]
struct Clamped(Bounds);

impl Function for Clamped {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        self.0.clamp(x)
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        self.0.gradient(x, 1.0)
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        1.0 / (1.0 + exp(-x))
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        let y = self.value(x);
        y * (1.0 - y)
    }
}

#[derive(Clone, Copy)]
struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        x * Sigmoid.value(x)
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        let sigmoid = Sigmoid.value(x);
        sigmoid * (1.0 + x * (1.0 - sigmoid))
    }
}

#[derive(Clone, Copy)]
struct Gelu;

impl Function for Gelu {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        x * Normal::at(x).distribution
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        let normal = Normal::at(x);
        normal.distribution + x * normal.density
    }
}

#[derive(Clone, Copy)]
struct HardSigmoid;

impl Function for HardSigmoid {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        clamp(x + 3.0, 0.0, 6.0) / 6.0
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        if x <= -3.0 || x >= 3.0 { 0.0 } else { 1.0 / 6.0 }
    }
}

#[derive(Clone, Copy)]
struct HardSwish;

impl Function for HardSwish {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        x * HardSigmoid.value(x)
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        let inside = x / 3.0 + 0.5;
        let right = if x >= 3.0 { 1.0 } else { inside };
        if x <= -3.0 { 0.0 } else { right }
    }
}

/// The standard normal distribution at a point.
struct Normal {
    distribution: f32,
    density: f32,
}

impl Normal {
    /// The distribution by formula 7.1.26 of Abramowitz and Stegun, *Handbook of Mathematical Functions*: off by 0.75e-7 at
    /// most, which is half a rounding of f32 near one.
    #[inline(always)]
    fn at(x: f32) -> Self {
        use std::f32::consts::FRAC_1_SQRT_2;
        const FRAC_1_SQRT_2_PI: f32 = 0.398_942_3;
        let bell = exp(-0.5 * x * x);
        let t = 1.0 / (1.0 + 0.327_591_1 * FRAC_1_SQRT_2 * x.abs());
        let polynomial =
            ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
        let tail = 0.5 * polynomial * bell;
        Self { distribution: if x < 0.0 { tail } else { 1.0 - tail }, density: FRAC_1_SQRT_2_PI * bell }
    }
}

#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

/// `exp(x)` to two roundings, in operations that become vector code; NaN stays NaN.
///
/// Range reduction: `x = n ln 2 + r` with a whole `n`, and `exp(x) = 2^n exp(r)`, where the series for so small an `r` is done
/// after eight terms. Beyond what f32 holds it stays at the largest or smallest value that it gives.
#[inline(always)]
fn exp(x: f32) -> f32 {
    use std::f32::consts::LOG2_E;
    /// 1.5 * 2^23: what is added to it is rounded to a whole number, in the lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with so few digits that its products with `n` are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = clamp(x, -87.0, 88.0);
    let shifted = x * LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    series * power
}
