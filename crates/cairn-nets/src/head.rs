//! The head of a network: from features to logits.

use burn::module::ParamId;
use burn::nn::Dropout;

use crate::layers::{Conv, Linear};
use crate::traceable::{FeatureMap, Features};

/// The part after a network's features; other classes need another one.
pub(crate) enum Head<'a> {
    /// Dropout, where the network has it there, and a linear layer.
    Linear { dropout: Option<&'a Dropout>, linear: &'a Linear },
    /// See [`ConvolutionHead`].
    Convolution(ConvolutionHead<'a>),
}

/// Dropout, a 1x1 convolution, ReLU and the mean over the map.
pub(crate) struct ConvolutionHead<'a> {
    pub(crate) dropout: &'a Dropout,
    pub(crate) conv: &'a Conv,
}

impl Head<'_> {
    /// `[batch, features]` to `[batch, classes]`. A convolution takes features as a map of one pixel.
    pub(crate) fn forward(&self, features: Features) -> Features {
        match self {
            Self::Linear { dropout: Some(dropout), linear } => linear.forward(features.dropout(dropout)),
            Self::Linear { dropout: None, linear } => linear.forward(features),
            Self::Convolution(head) => head.forward(features.into_pixels()),
        }
    }

    /// How many features it takes.
    pub(crate) fn feature_count(&self) -> usize {
        match self {
            Self::Linear { linear, .. } => linear.inputs(),
            Self::Convolution(head) => head.conv.inputs(),
        }
    }

    /// By which its place in the network is found.
    pub(crate) fn weight_id(&self) -> ParamId {
        match self {
            Self::Linear { linear, .. } => linear.weight_id(),
            Self::Convolution(head) => head.conv.weight_id(),
        }
    }
}

impl ConvolutionHead<'_> {
    /// `[batch, height, width, features]` to `[batch, classes]`.
    pub(crate) fn forward(&self, map: FeatureMap) -> Features {
        self.conv.forward(map.dropout(self.dropout)).relu().average()
    }
}
