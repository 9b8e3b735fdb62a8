//! Batch norm.

use burn::module::{Flag, Module, Param, RunningState};
use burn::tensor::{Device, Tensor};
use cairn_kernels::Activation;
use cairn_kernels::layers::{self, GivenNorm};

use crate::graph::Op;
use crate::traceable::{FeatureMap, Traceable};

/// Batch normalisation over every axis but the channels', as PyTorch's `BatchNorm1d` and `BatchNorm2d` compute it
/// (Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>).
///
/// Burn's own layer keeps the biased variance in its running statistics; PyTorch keeps the unbiased one.
/// With few photos in a batch and small maps the two evaluate differently, so the networks use this layer.
#[derive(Module, Debug)]
pub(crate) struct BatchNorm {
    /// Scale, `[channels]`.
    weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    bias: Param<Tensor<1>>,
    /// Running mean, `[channels]`.
    running_mean: RunningState<Tensor<1>>,
    /// Running unbiased variance, `[channels]`.
    running_var: RunningState<Tensor<1>>,
    /// Whether batch statistics are used when gradients are wanted; cleared when the layer is frozen.
    training: Param<Flag>,
    #[module(skip)]
    settings: NormSettings,
}

/// What batch norms of one network have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NormSettings {
    /// What is added to the variance, against division by zero.
    pub(crate) epsilon: f64,
    /// The newest batch's share of the running statistics.
    pub(crate) momentum: f64,
}

impl Default for NormSettings {
    /// PyTorch's.
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1 }
    }
}

impl BatchNorm {
    /// A layer that leaves a standardised input as it is: weight 1, bias 0.
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self::with_settings(channels, NormSettings::default(), device)
    }

    /// The same with other settings than PyTorch's.
    pub(crate) fn with_settings(channels: usize, settings: NormSettings, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            training: Param::from_bool(true),
            settings,
        }
    }

    /// Normalises, adds `residual` and activates: by the batch's statistics on an autodiff device, by the running ones
    /// elsewhere.
    pub(crate) fn forward(
        &self,
        x: FeatureMap,
        residual: Option<FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        match x {
            Traceable::Eager(x) => {
                let residual = residual.map(Traceable::tensor);
                Traceable::Eager(if x.device().is_autodiff() && self.training.is_enabled() {
                    self.forward_train(x, residual, activation)
                } else {
                    layers::norm_fixed(x, self.running(), residual, activation)
                })
            }
            Traceable::Traced(x) => {
                let op = |path: &str| Op::batch_norm_with(path, self.settings.epsilon);
                let mut x = x.layer(&self.weight, op);
                if let Some(residual) = residual {
                    x = x.in_layer_with(Op::Add, &residual.traced());
                }
                Traceable::Traced(x.activated(activation))
            }
        }
    }

    fn forward_train(&self, x: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
        let [batch, height, width, _] = x.dims();
        let values = (batch * height * width) as f64;
        // One value a channel has no variance; PyTorch refuses it, here it keeps the running variance finite.
        let unbiased = values / (values - 1.0).max(1.0);
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let NormSettings { epsilon, momentum } = self.settings;
        let batch = layers::norm_train(x, weight, bias, epsilon as f32, residual, activation);
        let blend = |running: &RunningState<Tensor<1>>, seen: Tensor<1>| {
            let kept = running.value_sync().mul_scalar(1.0 - momentum);
            running.update((kept + seen.mul_scalar(momentum)).detach());
            // Updates of several threads would be averaged, and the next step may be on another thread.
            running.value_sync();
        };
        blend(&self.running_mean, batch.mean);
        blend(&self.running_var, batch.variance.mul_scalar(unbiased));
        batch.output
    }

    /// Whether neither its statistics nor its parameters learn.
    pub(super) fn is_frozen(&self) -> bool {
        let learns = |parameter: &Param<Tensor<1>>| parameter.val().is_require_grad();
        !(self.training.is_enabled() || learns(&self.weight) || learns(&self.bias))
    }

    /// The layer with its running statistics.
    pub(super) fn running(&self) -> GivenNorm {
        GivenNorm {
            weight: self.weight.val(),
            bias: self.bias.val(),
            mean: self.running_mean.value_sync(),
            variance: self.running_var.value_sync(),
            epsilon: self.settings.epsilon as f32,
        }
    }
}
