//! Batch normalisation (Ioffe and Szegedy, 2015) with the activation and the residual add that follow it.
//!
//! Per channel, over all pixels of the batch: `output = activation((x - mean) / sqrt(variance + epsilon) * weight + bias
//! + residual)`. In training the mean and the variance are the batch's own, and the gradients flow through them.

mod statistics;

pub use statistics::Statistics;

use rayon::prelude::*;

use crate::channel_sums::{channel_sums, stretch_pixels};
use crate::clamp::{Bounds, Clamp};
use crate::element::Element;
use crate::elementwise::activate_backward_stretch;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::{spread_chunks, spread_map};
use crate::vectorised::vectorised;

/// A batch norm's parameters, one value a channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Scale of the normalised values (gamma).
    pub weight: &'a [f32],
    /// Shift of the scaled values (beta).
    pub bias: &'a [f32],
    /// Added to the variance, against division by zero.
    pub epsilon: f32,
}

/// The statistics of a forward pass, by their source.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Of the batch itself: the gradient flows through them too.
    Batch(&'a Statistics),
    /// Given: running statistics, in evaluation and in a frozen batch norm.
    Given(&'a Statistics),
}

impl<'a> Source<'a> {
    fn statistics(self) -> &'a Statistics {
        match self {
            Self::Batch(statistics) | Self::Given(statistics) => statistics,
        }
    }
}

/// The gradients to a batch norm's parameters, one value a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterGradients {
    /// Gradient to the scale.
    pub weight: Vec<f32>,
    /// Gradient to the bias.
    pub bias: Vec<f32>,
}

/// The operands of the backward pass for a residual add between batch norm and activation.
#[derive(Debug)]
pub struct ResidualBackward<'a, T> {
    /// The forward pass's output. It says where the activation lets the gradient pass.
    pub output: &'a [T],
    /// Receives the gradient to the residual.
    pub gradient: &'a mut [T],
}

impl BatchNorm<'_> {
    /// Normalises with the given statistics: the batch's own in training, the running ones in evaluation.
    ///
    /// # Panics
    /// When lengths do not match.
    pub fn forward<T: Element>(
        &self,
        isa: Isa,
        statistics: &Statistics,
        input: &[T],
        residual: Option<&[T]>,
        activation: Clamp,
        output: &mut [T],
    ) {
        let line = self.line(statistics);
        check_pixels(line.channels(), input.len());
        check_len("output", output.len(), input.len());
        let stretch = stretch_pixels(line.channels()) * line.channels();
        let bounds = activation.bounds();
        if let Some(residual) = residual {
            check_len("residual", residual.len(), input.len());
            spread_chunks(output, stretch, |index, output| {
                let of_stretch = index * stretch..index * stretch + output.len();
                let (input, residual) = (&input[of_stretch.clone()], &residual[of_stretch]);
                normalise_and_add(isa, &line, bounds, input, residual, output);
            });
        } else {
            spread_map(input, output, stretch, |input, output| normalise(isa, &line, bounds, input, output));
        }
    }

    /// The gradients of [`BatchNorm::forward`].
    ///
    /// `input` is the forward pass's input, `output_gradient` the gradient to its output. All of `input_gradient` (and of
    /// the residual's gradient) is written. The bits do not depend on the number of threads.
    ///
    /// # Panics
    /// When lengths do not match.
    #[allow(clippy::too_many_arguments)]
    pub fn backward<T: Element>(
        &self,
        isa: Isa,
        statistics: Source<'_>,
        input: &[T],
        activation: Clamp,
        output_gradient: &[T],
        residual: Option<ResidualBackward<'_, T>>,
        input_gradient: &mut [T],
    ) -> ParameterGradients {
        let line = self.line(statistics.statistics());
        let (channels, bounds) = (line.channels(), activation.bounds());
        let of_batch = matches!(statistics, Source::Batch(_));
        check_pixels(channels, input.len());
        check_len("output gradient", output_gradient.len(), input.len());
        check_len("input gradient", input_gradient.len(), input.len());
        let Some(ResidualBackward { output, gradient }) = residual else {
            return backward_passes(isa, &line, of_batch, input, input_gradient, output_gradient, bounds);
        };
        check_len("output", output.len(), input.len());
        check_len("residual gradient", gradient.len(), input.len());
        // Behind the activation the residual and the batch norm get the same gradient.
        let stretch = stretch_pixels(channels) * channels;
        gradient
            .par_chunks_mut(stretch)
            .zip(output.par_chunks(stretch).zip(output_gradient.par_chunks(stretch)))
            .for_each(|(gradient, (output, output_gradient))| {
                activate_backward_stretch(isa, bounds, output, output_gradient, gradient);
            });
        let bounds = Clamp::Identity.bounds();
        backward_passes(isa, &line, of_batch, input, input_gradient, gradient, bounds)
    }

    fn line(&self, statistics: &Statistics) -> Line {
        let channels = self.weight.len();
        check_len("bias", self.bias.len(), channels);
        check_len("mean", statistics.mean.len(), channels);
        check_len("variance", statistics.variance.len(), channels);
        let inverse_deviation: Vec<f32> =
            statistics.variance.iter().map(|variance| 1.0 / (variance + self.epsilon).sqrt()).collect();
        let scale: Vec<f32> =
            self.weight.iter().zip(&inverse_deviation).map(|(weight, inverse)| weight * inverse).collect();
        let mean = statistics.mean.clone();
        Line { mean, inverse_deviation, scale, bias: self.bias.to_vec() }
    }
}

/// Batch norm with given statistics: scale and shift of every channel.
struct Line {
    mean: Vec<f32>,
    inverse_deviation: Vec<f32>,
    scale: Vec<f32>,
    bias: Vec<f32>,
}

impl Line {
    fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Its values at the channels, in slices that the compiler sees to be of equal length. Otherwise it would check every
    /// index, and no loop over channels would become vector code.
    #[inline(always)]
    fn slices(&self) -> LineSlices<'_> {
        let channels = self.channels();
        LineSlices {
            mean: &self.mean[..channels],
            inverse_deviation: &self.inverse_deviation[..channels],
            scale: &self.scale[..channels],
            bias: &self.bias[..channels],
        }
    }
}

/// A borrowed [`Line`].
#[derive(Clone, Copy)]
struct LineSlices<'a> {
    mean: &'a [f32],
    inverse_deviation: &'a [f32],
    scale: &'a [f32],
    bias: &'a [f32],
}

impl LineSlices<'_> {
    #[inline(always)]
    fn at(&self, channel: usize, x: f32) -> f32 {
        (x - self.mean[channel]) * self.scale[channel] + self.bias[channel]
    }

    #[inline(always)]
    fn normalised(&self, channel: usize, x: f32) -> f32 {
        (x - self.mean[channel]) * self.inverse_deviation[channel]
    }
}

vectorised! {
    fn normalise<T: Element>(line: &Line, bounds: Bounds, input: &[T], output: &mut [T]) {
        let (channels, line) = (line.channels(), line.slices());
        for (to, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
            for channel in 0..channels {
                to[channel] = T::from_f32(bounds.clamp(line.at(channel, x[channel].to_f32())));
            }
        }
    }
}

vectorised! {
    fn normalise_and_add<T: Element>(line: &Line, bounds: Bounds, input: &[T], residual: &[T], output: &mut [T]) {
        let (channels, line) = (line.channels(), line.slices());
        let from = input.chunks_exact(channels).zip(residual.chunks_exact(channels));
        for (to, (x, residual)) in output.chunks_exact_mut(channels).zip(from) {
            for channel in 0..channels {
                let sum = line.at(channel, x[channel].to_f32()) + residual[channel].to_f32();
                to[channel] = T::from_f32(bounds.clamp(sum));
            }
        }
    }
}

/// Both passes of the gradient: the sums over the batch first, then every pixel's own.
///
/// The activation's output is computed again from the input, which is cheaper than reading it.
fn backward_passes<T: Element>(
    isa: Isa,
    line: &Line,
    of_batch: bool,
    input: &[T],
    input_gradient: &mut [T],
    output_gradient: &[T],
    bounds: Bounds,
) -> ParameterGradients {
    let (channels, pixels) = (line.channels(), input.len() / line.channels());
    let stretch = stretch_pixels(channels) * channels;
    let [bias, weight] = channel_sums(pixels, channels, |index, [bias, weight]| {
        let part = index * stretch..((index + 1) * stretch).min(input.len());
        sum_gradients(isa, line, bounds, &input[part.clone()], &output_gradient[part], bias, weight);
    });
    let gradients = ParameterGradients {
        weight: weight.iter().map(|&sum| sum as f32).collect(),
        bias: bias.iter().map(|&sum| sum as f32).collect(),
    };
    // No gradient flows through statistics that were given.
    let share = if of_batch { 1.0 / pixels as f64 } else { 0.0 };
    let mean_of = |sums: &[f64]| -> Vec<f32> { sums.iter().map(|sum| (sum * share) as f32).collect() };
    let means = ParameterGradients { weight: mean_of(&weight), bias: mean_of(&bias) };
    input_gradient
        .par_chunks_mut(stretch)
        .zip(input.par_chunks(stretch).zip(output_gradient.par_chunks(stretch)))
        .for_each(|(input_gradient, (input, output_gradient))| {
            spread_gradients(isa, line, &means, bounds, input, output_gradient, input_gradient);
        });
    gradients
}

vectorised! {
    /// Sums of a stretch: the gradient to the bias, and the gradient to the weight.
    fn sum_gradients<T: Element>(
        line: &Line,
        bounds: Bounds,
        input: &[T],
        output_gradient: &[T],
        bias: &mut [f32],
        weight: &mut [f32],
    ) {
        let (channels, line) = (line.channels(), line.slices());
        let (bias, weight) = (&mut bias[..channels], &mut weight[..channels]);
        for (x, dy) in input.chunks_exact(channels).zip(output_gradient.chunks_exact(channels)) {
            for channel in 0..channels {
                let x = x[channel].to_f32();
                let gradient = bounds.gradient(line.at(channel, x), dy[channel].to_f32());
                bias[channel] += gradient;
                weight[channel] += gradient * line.normalised(channel, x);
            }
        }
    }
}

vectorised! {
    /// The gradient to the input: the gradient through the value itself, less those through mean and variance.
    fn spread_gradients<T: Element>(
        line: &Line,
        means: &ParameterGradients,
        bounds: Bounds,
        input: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        let (channels, line) = (line.channels(), line.slices());
        let (weight_means, bias_means) = (&means.weight[..channels], &means.bias[..channels]);
        let from = input.chunks_exact(channels).zip(output_gradient.chunks_exact(channels));
        for (to, (x, dy)) in input_gradient.chunks_exact_mut(channels).zip(from) {
            for channel in 0..channels {
                let x = x[channel].to_f32();
                let gradient = bounds.gradient(line.at(channel, x), dy[channel].to_f32());
                let own = gradient - bias_means[channel] - line.normalised(channel, x) * weight_means[channel];
                to[channel] = T::from_f32(own * line.scale[channel]);
            }
        }
    }
}

/// Batch norm in evaluation, folded into the convolution before it: new weights and a bias for its
/// [`Epilogue`](crate::conv::Epilogue).
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedBatchNorm {
    /// The convolution's weights, each output channel's scaled.
    pub weights: Vec<f32>,
    /// One value per output channel.
    pub bias: Vec<f32>,
}

impl FoldedBatchNorm {
    /// Folds a batch norm with its running statistics into a convolution's weights (one row for each output channel) and
    /// bias.
    ///
    /// # Panics
    /// When lengths do not match.
    pub fn new(layer: &BatchNorm<'_>, running: &Statistics, weights: &[f32], bias: Option<&[f32]>) -> Self {
        let line = layer.line(running);
        let row = weights.len() / line.channels();
        check_len("weights", weights.len(), row * line.channels());
        let scaled = weights
            .chunks_exact(row)
            .zip(&line.scale)
            .flat_map(|(row, scale)| row.iter().map(move |w| w * scale));
        let before = |channel: usize| bias.map_or(0.0, |bias| bias[channel]);
        Self {
            weights: scaled.collect(),
            bias: (0..line.channels()).map(|channel| line.slices().at(channel, before(channel))).collect(),
        }
    }
}

#[track_caller]
fn check_pixels(channels: usize, len: usize) {
    assert!(
        channels > 0 && len > 0 && len.is_multiple_of(channels),
        "a map of {len} elements is no whole number of pixels of {channels} channels"
    );
}
