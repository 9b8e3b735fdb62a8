//! Layer normalisation (Ba et al., 2016) over the channels of each pixel.
//!
//! `output = (x - mean) / sqrt(variance + epsilon) * weight + bias`, mean and (biased) variance of the pixel's channels.

use rayon::prelude::*;

use crate::channel_sums::{channel_sums, stretch_pixels};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::spread_map;
use crate::vectorised::vectorised;

/// A layer norm's parameters, one value a channel.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// Scale of the normalised values.
    pub weight: &'a [f32],
    /// Shift of the scaled values.
    pub bias: &'a [f32],
    /// Added to the variance, against division by zero.
    pub epsilon: f32,
}

/// The gradients to a layer norm's parameters, one value a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterGradients {
    /// Gradient to the scale.
    pub weight: Vec<f32>,
    /// Gradient to the bias.
    pub bias: Vec<f32>,
}

impl LayerNorm<'_> {
    /// Normalises every pixel.
    ///
    /// # Panics
    /// When lengths do not match.
    pub fn forward<T: Element>(&self, isa: Isa, input: &[T], output: &mut [T]) {
        let stretch = self.check(input.len());
        check_len("output", output.len(), input.len());
        spread_map(input, output, stretch, |input, output| normalise(isa, *self, input, output));
    }

    /// The gradients of [`LayerNorm::forward`], from its input and the gradient to its output. All of `input_gradient` is
    /// written. The bits do not depend on the number of threads.
    ///
    /// # Panics
    /// When lengths do not match.
    pub fn backward<T: Element>(
        &self,
        isa: Isa,
        input: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) -> ParameterGradients {
        let (channels, stretch) = (self.weight.len(), self.check(input.len()));
        check_len("output gradient", output_gradient.len(), input.len());
        check_len("input gradient", input_gradient.len(), input.len());
        let from = input.par_chunks(stretch).zip(output_gradient.par_chunks(stretch));
        input_gradient.par_chunks_mut(stretch).zip(from).for_each(|(to, (input, output_gradient))| {
            spread_gradients(isa, *self, input, output_gradient, to);
        });
        let [weight, bias] = channel_sums(input.len() / channels, channels, |index, [weight, bias]| {
            let part = index * stretch..((index + 1) * stretch).min(input.len());
            sum_gradients(isa, *self, &input[part.clone()], &output_gradient[part], weight, bias);
        });
        let narrow = |sums: Vec<f64>| sums.into_iter().map(|sum| sum as f32).collect();
        ParameterGradients { weight: narrow(weight), bias: narrow(bias) }
    }

    /// Elements of a stretch, once lengths are checked.
    #[track_caller]
    fn check(&self, len: usize) -> usize {
        let channels = self.weight.len();
        check_len("bias", self.bias.len(), channels);
        assert!(
            channels > 0 && len.is_multiple_of(channels),
            "a map of {len} elements is no whole number of pixels of {channels} channels"
        );
        stretch_pixels(channels) * channels
    }
}

/// A pixel's mean, and one over its deviation.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    inverse_deviation: f32,
}

impl Moments {
    #[inline(always)]
    fn of<T: Element>(pixel: &[T], epsilon: f32) -> Self {
        let count = pixel.len() as f32;
        let mean = sum(pixel.len(), |channel| pixel[channel].to_f32()) / count;
        let squares = sum(pixel.len(), |channel| {
            let off = pixel[channel].to_f32() - mean;
            off * off
        });
        Self { mean, inverse_deviation: 1.0 / (squares / count + epsilon).sqrt() }
    }

    #[inline(always)]
    fn normalised(self, x: f32) -> f32 {
        (x - self.mean) * self.inverse_deviation
    }
}

/// The sum of some terms, in as many lanes as the widest vectors have. In one lane, every addition would wait for the
/// one before it.
#[inline(always)]
fn sum(count: usize, term: impl Fn(usize) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    let whole = count / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    let rest: f32 = (whole..count).map(term).sum();
    lanes.iter().sum::<f32>() + rest
}

vectorised! {
    fn normalise<T: Element>(layer: LayerNorm<'_>, input: &[T], output: &mut [T]) {
        let channels = layer.weight.len();
        let bias = &layer.bias[..channels];
        for (to, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
            let moments = Moments::of(x, layer.epsilon);
            for channel in 0..channels {
                let normalised = moments.normalised(x[channel].to_f32());
                to[channel] = T::from_f32(normalised * layer.weight[channel] + bias[channel]);
            }
        }
    }
}

vectorised! {
    /// The gradient to the input: the gradient through the value itself, less those through mean and variance.
    fn spread_gradients<T: Element>(
        layer: LayerNorm<'_>,
        input: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        let channels = layer.weight.len();
        let count = channels as f32;
        let from = input.chunks_exact(channels).zip(output_gradient.chunks_exact(channels));
        for (to, (x, dy)) in input_gradient.chunks_exact_mut(channels).zip(from) {
            let moments = Moments::of(x, layer.epsilon);
            let scaled = |channel: usize| dy[channel].to_f32() * layer.weight[channel];
            let normalised = |channel: usize| moments.normalised(x[channel].to_f32());
            let mean = sum(channels, scaled) / count;
            let along = sum(channels, |channel| scaled(channel) * normalised(channel)) / count;
            for (channel, to) in to.iter_mut().enumerate() {
                let own = scaled(channel) - mean - normalised(channel) * along;
                *to = T::from_f32(own * moments.inverse_deviation);
            }
        }
    }
}

vectorised! {
    /// Sums of a stretch: the gradients to weight and bias.
    fn sum_gradients<T: Element>(
        layer: LayerNorm<'_>,
        input: &[T],
        output_gradient: &[T],
        weight: &mut [f32],
        bias: &mut [f32],
    ) {
        let channels = layer.weight.len();
        let (weight, bias) = (&mut weight[..channels], &mut bias[..channels]);
        for (x, dy) in input.chunks_exact(channels).zip(output_gradient.chunks_exact(channels)) {
            let moments = Moments::of(x, layer.epsilon);
            for channel in 0..channels {
                let gradient = dy[channel].to_f32();
                weight[channel] += gradient * moments.normalised(x[channel].to_f32());
                bias[channel] += gradient;
            }
        }
    }
}
