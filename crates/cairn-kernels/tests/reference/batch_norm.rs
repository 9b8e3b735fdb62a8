//! Batch norm and its gradients from the definition.

use super::Sums;

/// A batch norm with its activation's bounds, over pixels of so many channels.
pub(crate) struct Definition<'a> {
    pub(crate) channels: usize,
    pub(crate) weight: &'a [f64],
    pub(crate) bias: &'a [f64],
    pub(crate) epsilon: f64,
    pub(crate) bounds: (f64, f64),
}

/// Mean and biased variance, per channel.
pub(crate) fn moments(channels: usize, input: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let pixels = (input.len() / channels) as f64;
    let mut mean = vec![0.0; channels];
    let mut variance = vec![0.0; channels];
    for (at, x) in input.iter().enumerate() {
        mean[at % channels] += x / pixels;
    }
    for (at, x) in input.iter().enumerate() {
        variance[at % channels] += (x - mean[at % channels]).powi(2) / pixels;
    }
    (mean, variance)
}

/// The gradients to the input, the residual, the weight and the bias.
pub(crate) struct Gradients {
    pub(crate) input: Vec<f64>,
    /// The largest of the terms that make up the gradient to the input. They cancel, all but wholly where pixels are few,
    /// so this is what rounding is relative to.
    pub(crate) largest_term: f64,
    pub(crate) residual: Vec<f64>,
    pub(crate) weight: Sums,
    pub(crate) bias: Sums,
}

impl Definition<'_> {
    fn normalised(&self, input: &[f64], mean: &[f64], variance: &[f64]) -> Vec<f64> {
        let value = |(at, x): (usize, &f64)| {
            let channel = at % self.channels;
            (x - mean[channel]) / (variance[channel] + self.epsilon).sqrt()
        };
        input.iter().enumerate().map(value).collect()
    }

    /// What the activation is applied to.
    pub(crate) fn before_activation(
        &self,
        input: &[f64],
        residual: &[f64],
        mean: &[f64],
        variance: &[f64],
    ) -> Vec<f64> {
        let normalised = self.normalised(input, mean, variance);
        let value = |(at, (x, residual)): (usize, (&f64, &f64))| {
            x * self.weight[at % self.channels] + self.bias[at % self.channels] + residual
        };
        normalised.iter().zip(residual).enumerate().map(value).collect()
    }

    /// The output.
    pub(crate) fn forward(
        &self,
        input: &[f64],
        residual: &[f64],
        mean: &[f64],
        variance: &[f64],
    ) -> Vec<f64> {
        let clamp = |x: f64| x.max(self.bounds.0).min(self.bounds.1);
        self.before_activation(input, residual, mean, variance).into_iter().map(clamp).collect()
    }

    /// The gradients, with the batch's own statistics.
    pub(crate) fn backward(&self, input: &[f64], residual: &[f64], output_gradient: &[f64]) -> Gradients {
        let pixels = (input.len() / self.channels) as f64;
        let (mean, variance) = moments(self.channels, input);
        let normalised = self.normalised(input, &mean, &variance);
        let before = self.before_activation(input, residual, &mean, &variance);
        let passes = |x: f64| x > self.bounds.0 && x < self.bounds.1;
        let gradient: Vec<f64> =
            before.iter().zip(output_gradient).map(|(x, dy)| if passes(*x) { *dy } else { 0.0 }).collect();
        let (mut weight, mut bias) = (Sums::zeros(self.channels), Sums::zeros(self.channels));
        for (at, dy) in gradient.iter().enumerate() {
            bias.add(at % self.channels, *dy);
            weight.add(at % self.channels, dy * normalised[at]);
        }
        let value = |(at, dy): (usize, &f64)| {
            let channel = at % self.channels;
            let own = dy - bias.values[channel] / pixels - normalised[at] * weight.values[channel] / pixels;
            own * self.weight[channel] / (variance[channel] + self.epsilon).sqrt()
        };
        let input = gradient.iter().enumerate().map(value).collect();
        let term = |(at, dy): (usize, &f64)| {
            let channel = at % self.channels;
            (dy * self.weight[channel] / (variance[channel] + self.epsilon).sqrt()).abs()
        };
        let largest_term = gradient.iter().enumerate().map(term).fold(0.0, f64::max);
        Gradients { input, largest_term, residual: gradient, weight, bias }
    }
}
