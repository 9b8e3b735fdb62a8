//! A convolution with what usually follows it.

use burn::module::Module;
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::{BatchNorm, Conv, NormSettings};
use crate::traceable::FeatureMap;

/// A convolution, batch norm and an activation: torchvision's `Conv2dNormActivation`, a sequence of the three.
#[derive(Module, Debug)]
pub(crate) struct ConvNorm {
    conv_0: Conv,
    bn_1: BatchNorm,
    #[module(skip)]
    activation: Activation,
}

impl ConvNorm {
    pub(crate) fn new(conv: Conv, settings: NormSettings, activation: Activation, device: &Device) -> Self {
        let bn_1 = BatchNorm::with_settings(conv.outputs(), settings, device);
        Self { conv_0: conv, bn_1, activation }
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        self.conv_0.norm(&self.bn_1, x, None, self.activation)
    }

    /// Convolution and batch norm at the end of a block: `residual` is added, and the block's activation follows.
    pub(crate) fn add(&self, x: FeatureMap, residual: FeatureMap, activation: Activation) -> FeatureMap {
        self.conv_0.norm(&self.bn_1, x, Some(residual), activation)
    }
}
