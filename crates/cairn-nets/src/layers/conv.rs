//! Convolutions.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor};
use cairn_kernels::layers::{self, ConvGeometry, FoldedConvCache};
use cairn_kernels::{Activation, Padding};

use super::{BatchNorm, blank};
use crate::graph::{ConvPadding, Op};
use crate::traceable::{FeatureMap, Traceable};

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
    folded: FoldedConvCache,
}

impl Conv {
    /// A dense convolution that keeps the map's size at stride 1 (padding = kernel / 2).
    pub(crate) fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        bias: bool,
        device: &Device,
    ) -> Self {
        let geometry = ConvGeometry { stride, padding: Padding::Each(kernel / 2), groups: 1 };
        Self::with_geometry(channels, kernel, geometry, bias, device)
    }

    /// A depthwise convolution without a bias: every channel by itself.
    pub(crate) fn depthwise(channels: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        Self::depthwise_padded(channels, kernel, stride, Padding::Each(kernel / 2), device)
    }

    /// A depthwise convolution without a bias, with other padding than half its kernel.
    pub(crate) fn depthwise_padded(
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
        device: &Device,
    ) -> Self {
        let geometry = ConvGeometry { stride, padding, groups: channels };
        Self::with_geometry([channels, channels], kernel, geometry, false, device)
    }

    /// A convolution of any stride, padding and groups.
    pub(crate) fn with_geometry(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        geometry: ConvGeometry,
        bias: bool,
        device: &Device,
    ) -> Self {
        Self {
            weight: blank([outputs, inputs / geometry.groups, kernel, kernel], device),
            bias: bias.then(|| blank([outputs], device)),
            geometry,
            folded: FoldedConvCache::default(),
        }
    }

    /// Input channels.
    pub(crate) fn inputs(&self) -> usize {
        self.weight.lazy_shape()[1] * self.geometry.groups
    }

    /// Output channels.
    pub(crate) fn outputs(&self) -> usize {
        self.weight.lazy_shape()[0]
    }

    /// By which its place in the network is found.
    pub(crate) fn weight_id(&self) -> ParamId {
        self.weight.id
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        let ConvGeometry { stride, padding, groups } = self.geometry;
        let padding = match padding {
            Padding::Each(padding) => ConvPadding::Each([padding; 2]),
            Padding::Same => ConvPadding::Same,
        };
        let op = |path: &str| Op::conv2d(path, self.bias.is_some(), [stride; 2], padding, groups);
        x.apply(
            |x| layers::conv2d(x, self.weight.val(), self.bias(), self.geometry),
            |x| x.layer(&self.weight, op),
        )
    }

    /// The convolution, `norm`, residual add and activation: what follows nearly every convolution.
    ///
    /// Where no gradients are wanted, or none of the batch norm's, it is all one pass with the norm folded into the weights.
    pub(crate) fn norm(
        &self,
        norm: &BatchNorm,
        x: FeatureMap,
        residual: Option<FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        match x {
            Traceable::Eager(x) if !x.device().is_autodiff() || norm.is_frozen() => {
                Traceable::Eager(layers::conv2d_norm(
                    x,
                    self.weight.val(),
                    self.bias(),
                    self.geometry,
                    norm.running(),
                    residual.map(Traceable::tensor),
                    activation,
                    &self.folded,
                ))
            }
            x => norm.forward(self.forward(x), residual, activation),
        }
    }

    fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}
