//! The layers that the networks share, with torchvision's parameters: each computes on the kernels, or enters itself in
//! a graph.

mod batch_norm;
mod conv;
mod conv_norm;
mod dropout;
mod inverted_residual;
mod layer_norm;
mod linear;
mod squeeze_excitation;
mod stochastic_depth;

pub(crate) use batch_norm::{BatchNorm, NormSettings};
pub(crate) use conv::Conv;
pub(crate) use conv_norm::ConvNorm;
pub(crate) use dropout::dropped;
pub(crate) use inverted_residual::{InvertedResidual, InvertedResidualPlan, SqueezePlan};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::Linear;
pub(crate) use squeeze_excitation::SqueezeExcitation;
pub(crate) use stochastic_depth::StochasticDepth;
