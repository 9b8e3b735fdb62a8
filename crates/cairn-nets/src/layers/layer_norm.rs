//! Layer norm (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use cairn_kernels::layers;

use crate::graph::Op;
use crate::traceable::{FeatureMap, Features};

/// Layer norm over the channels of each pixel, or of each vector, with the epsilon of torchvision's networks.
#[derive(Module, Debug)]
pub(crate) struct LayerNorm {
    /// Scale, `[channels]`.
    weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    bias: Param<Tensor<1>>,
}

impl LayerNorm {
    const EPSILON: f64 = 1e-6;

    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
        }
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        x.apply(
            |x| layers::layer_norm(x, self.weight.val(), self.bias.val(), Self::EPSILON as f32),
            |x| x.layer(&self.weight, |path| Op::layer_norm(path, Self::EPSILON)),
        )
    }

    /// [`LayerNorm::forward`] of `[batch, channels]`.
    pub(crate) fn forward_vectors(&self, x: Features) -> Features {
        self.forward(x.into_pixels()).into_vectors()
    }
}
