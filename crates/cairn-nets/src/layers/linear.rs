//! Fully connected layers.

use burn::module::{Module, Param, ParamId};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};
use cairn_kernels::Padding;
use cairn_kernels::layers::{self, ConvGeometry};

use super::blank;
use crate::graph::Op;
use crate::head_rows::{HeadIds, HeadRows};
use crate::traceable::{FeatureMap, Features};

/// A fully connected layer with a bias, as `torch.nn.Linear`.
#[derive(Module, Debug)]
pub(crate) struct Linear {
    /// `[inputs, outputs]`; the state dict has it as torchvision does, the other way round.
    weight: Param<Tensor<2>>,
    /// `[outputs]`.
    bias: Param<Tensor<1>>,
}

impl Linear {
    pub(crate) fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self { weight: blank([inputs, outputs], device), bias: blank([outputs], device) }
    }

    pub(crate) fn forward(&self, x: Features) -> Features {
        let compute = |x| linear(x, self.weight.val(), Some(self.bias.val()));
        x.apply(compute, |x| x.layer(&self.weight, Op::linear))
    }

    /// [`Linear::forward`] of every pixel: a 1x1 convolution.
    pub(crate) fn forward_pixels(&self, x: FeatureMap) -> FeatureMap {
        let geometry = ConvGeometry { stride: 1, padding: Padding::Each(0), groups: 1 };
        let compute = |x| {
            let weight = self.weight.val().swap_dims(0, 1).unsqueeze_dims(&[2, 3]);
            layers::conv2d(x, weight, Some(self.bias.val()), geometry)
        };
        x.apply(compute, |x| x.layer(&self.weight, Op::linear))
    }

    /// How many values it takes.
    pub(crate) fn inputs(&self) -> usize {
        self.weight.lazy_shape()[0]
    }

    /// How many values it gives.
    pub(crate) fn outputs(&self) -> usize {
        self.weight.lazy_shape()[1]
    }

    /// What its parameters are filed under.
    pub(crate) fn ids(&self) -> HeadIds {
        HeadIds { weight: self.weight.id, bias: self.bias.id }
    }

    /// The weights of some outputs, without gradients.
    pub(crate) fn rows(&self, outputs: &[u32]) -> HeadRows {
        HeadRows::of(self.weight.val(), self.bias.val(), outputs)
    }

    /// By which its place in the network is found.
    pub(crate) fn weight_id(&self) -> ParamId {
        self.weight.id
    }
}
