//! From sums to levels: what ends a layer.

/// How the sums of a layer become the levels of its output: `sum * scale + offset`, with a scale and an offset for each
/// output channel, plus the residual's level times a factor; clamped, and rounded to a level, ties to even.
///
/// With `x` for the input's quantisation, `r` for the residual's and `y` for the output's, with weights of `w` and batch norm
/// folded to a factor `g` and a term `b`, scales are `w * g * x.scale / y.scale`, and offsets
/// `(b - w * g * x.scale * x.zero_point * sum_of_weights - r.scale * r.zero_point) / y.scale + y.zero_point`.
#[derive(Clone, Debug, PartialEq)]
pub struct Requantise {
    /// Factors of sums, one for each output channel.
    pub scales: Vec<f32>,
    /// Terms, one for each output channel.
    pub offsets: Vec<f32>,
    /// Factor of the residual's levels.
    pub residual: f32,
    /// The lowest level: that of zero under a ReLU.
    pub low: f32,
    /// The highest level.
    pub high: f32,
}

impl Requantise {
    /// Of any level, without a residual.
    pub fn new(scales: Vec<f32>, offsets: Vec<f32>) -> Self {
        Self { scales, offsets, residual: 0.0, low: 0.0, high: 255.0 }
    }

    /// Panics unless it is of so many channels, of finite numbers, and of bounds that are levels.
    #[track_caller]
    pub(super) fn check(&self, outputs: usize) {
        let Self { scales, offsets, residual, low, high } = self;
        assert!(
            scales.len() == outputs && offsets.len() == outputs,
            "a scale and an offset for each of {outputs}"
        );
        let mut figures = scales.iter().chain(offsets).chain([residual]);
        assert!(figures.all(|figure| figure.is_finite()), "a layer's scales and offsets are finite");
        assert!(0.0 <= *low && low <= high && *high <= 255.0, "{low} to {high} are no levels");
    }
}
