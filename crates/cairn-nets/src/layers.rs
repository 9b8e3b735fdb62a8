//! The layers that the networks share: convolution and batch norm on the kernels, with torchvision's parameters.

use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use cairn_kernels::Activation;
use cairn_kernels::layers::{self, ConvGeometry, FoldedConv, GivenNorm};

use crate::feature_map::FeatureMap;

/// A 2-D convolution, as `torch.nn.Conv2d` with a square kernel.
#[derive(Module, Debug)]
pub(crate) struct Conv {
    /// `[outputs, inputs / groups, kernel, kernel]`.
    weight: Param<Tensor<4>>,
    /// `[outputs]`.
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    geometry: ConvGeometry,
    #[module(skip)]
    folded: FoldedConv,
}

impl Conv {
    /// A dense convolution that keeps the map's size at stride 1 (padding = kernel / 2).
    pub(crate) fn new(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        bias: bool,
        device: &Device,
    ) -> Self {
        let geometry = ConvGeometry { stride, padding: kernel / 2, groups: 1 };
        Self {
            weight: Param::from_tensor(Tensor::zeros([outputs, inputs, kernel, kernel], device)),
            bias: bias.then(|| Param::from_tensor(Tensor::zeros([outputs], device))),
            geometry,
            folded: FoldedConv::default(),
        }
    }

    /// A depthwise convolution without a bias: every channel by itself.
    pub(crate) fn depthwise(channels: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let dense = Self::new([1, channels], kernel, stride, false, device);
        Self { geometry: ConvGeometry { groups: channels, ..dense.geometry }, ..dense }
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        FeatureMap(layers::conv2d(x.0, self.weight.val(), self.bias(), self.geometry))
    }

    /// The convolution, `norm`, residual add and activation: what follows nearly every convolution.
    ///
    /// Where no gradients are wanted, it is all one pass with the batch norm folded into the weights.
    pub(crate) fn norm(
        &self,
        norm: &BatchNorm,
        x: FeatureMap,
        residual: Option<FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        if x.0.device().is_autodiff() {
            return norm.forward(self.forward(x), residual, activation);
        }
        FeatureMap(layers::conv2d_norm(
            x.0,
            self.weight.val(),
            self.bias(),
            self.geometry,
            norm.running(),
            residual.map(|map| map.0),
            activation,
            &self.folded,
        ))
    }

    fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}

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
}

impl BatchNorm {
    const MOMENTUM: f64 = 0.1;
    const EPSILON: f32 = 1e-5;

    /// A layer that leaves a standardised input as it is: weight 1, bias 0.
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            training: Param::from_bool(true),
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
        let residual = residual.map(|map| map.0);
        if x.0.device().is_autodiff() && self.training.is_enabled() {
            FeatureMap(self.forward_train(x.0, residual, activation))
        } else {
            FeatureMap(layers::norm_fixed(x.0, self.running(), residual, activation))
        }
    }

    /// [`BatchNorm::forward`] of `[batch, channels]`.
    pub(crate) fn forward_features(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        let [batch, channels] = x.dims();
        let map = FeatureMap(x.reshape([batch, 1, 1, channels]));
        self.forward(map, None, activation).0.reshape([batch, channels])
    }

    fn forward_train(&self, x: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
        let [batch, height, width, _] = x.dims();
        let values = (batch * height * width) as f64;
        // One value a channel has no variance; PyTorch refuses it, here it keeps the running variance finite.
        let unbiased = values / (values - 1.0).max(1.0);
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let batch = layers::norm_train(x, weight, bias, Self::EPSILON, residual, activation);
        let blend = |running: &RunningState<Tensor<1>>, seen: Tensor<1>| {
            let kept = running.value_sync().mul_scalar(1.0 - Self::MOMENTUM);
            running.update((kept + seen.mul_scalar(Self::MOMENTUM)).detach());
        };
        blend(&self.running_mean, batch.mean);
        blend(&self.running_var, batch.variance.mul_scalar(unbiased));
        batch.output
    }

    fn running(&self) -> GivenNorm {
        GivenNorm {
            weight: self.weight.val(),
            bias: self.bias.val(),
            mean: self.running_mean.value_sync(),
            variance: self.running_var.value_sync(),
            epsilon: Self::EPSILON,
        }
    }
}

/// A fully connected layer with a bias.
pub(crate) fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).init(device)
}
