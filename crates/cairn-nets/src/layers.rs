//! The layers that the networks share, where Burn's own differ from torchvision's in what they compute.

use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::module::{batch_norm, batch_norm_train};
use burn::tensor::{Device, Tensor};

/// Batch normalisation over every axis but the second, as PyTorch's `BatchNorm1d` and `BatchNorm2d` compute it
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
    const EPSILON: f64 = 1e-5;

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

    /// Normalises by the batch's statistics on an autodiff device, by the running ones elsewhere.
    ///
    /// Input and output: `[batch, channels, ...]`.
    pub(crate) fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        if input.device().is_autodiff() && self.training.is_enabled() {
            self.forward_train(input)
        } else {
            let (mean, var) = (self.running_mean.value_sync(), self.running_var.value_sync());
            batch_norm(input, self.weight.val(), self.bias.val(), mean, var, Self::EPSILON)
        }
    }

    fn forward_train<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        let values = (dims.iter().product::<usize>() / dims[1]) as f64;
        // One value a channel has no variance; PyTorch refuses it, here it keeps the running variance finite.
        let unbiased = values / (values - 1.0).max(1.0);
        let batch = batch_norm_train(input, self.weight.val(), self.bias.val(), Self::EPSILON);
        let blend = |running: &RunningState<Tensor<1>>, seen: Tensor<1>| {
            let kept = running.value_sync().mul_scalar(1.0 - Self::MOMENTUM);
            running.update((kept + seen.detach().mul_scalar(Self::MOMENTUM)).detach());
        };
        blend(&self.running_mean, batch.mean);
        blend(&self.running_var, batch.variance.mul_scalar(unbiased));
        batch.output
    }
}

/// A square convolution that keeps the map's size at stride 1 (padding = kernel / 2).
pub(crate) fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    bias: bool,
    device: &Device,
) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(bias)
        .init(device)
}

/// A fully connected layer with a bias.
pub(crate) fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).init(device)
}

/// The 2 x 2 max pool with stride 2 that halves a map, dropping an odd last row or column.
pub(crate) fn halve() -> MaxPool2d {
    MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()
}

/// Mean over a map's pixels: `[batch, channels, height, width]` to `[batch, channels]`.
pub(crate) fn global_average_pool(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, _, _] = map.dims();
    map.mean_dims(&[2, 3]).reshape([batch, channels])
}
