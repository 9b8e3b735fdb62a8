//! The head of a network: from features to logits.

use burn::module::ParamId;
use burn::nn::Dropout;

use crate::layers::Linear;
use crate::value::Features;

/// What stands after a network's features: what is replaced for other classes.
pub(crate) struct Head<'a> {
    pub(crate) dropout: &'a Dropout,
    pub(crate) linear: &'a Linear,
}

impl Head<'_> {
    /// `[batch, features]` to `[batch, classes]`.
    pub(crate) fn forward(&self, features: Features) -> Features {
        self.linear.forward(features.dropout(self.dropout))
    }

    /// How many features it takes.
    pub(crate) fn feature_count(&self) -> usize {
        self.linear.inputs()
    }

    /// By which its place in the network is found.
    pub(crate) fn weight_id(&self) -> ParamId {
        self.linear.weight_id()
    }
}
