//! The layers that the networks share, with torchvision's parameters: each computes on the kernels, or enters itself in
//! a graph.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Shape, Tensor};

mod batch_norm;
mod conv;
mod conv_norm;
mod dropout;
mod global_pool;
mod inverted_residual;
mod layer_norm;
mod linear;
mod squeeze_excitation;
mod stochastic_depth;

pub(crate) use batch_norm::{BatchNorm, NormSettings};
pub(crate) use conv::Conv;
pub(crate) use conv_norm::ConvNorm;
pub(crate) use dropout::dropped;
pub(crate) use global_pool::{GlobalPool, generalised_mean};
pub(crate) use inverted_residual::{InvertedResidual, InvertedResidualPlan, SqueezePlan};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::Linear;
pub(crate) use squeeze_excitation::SqueezeExcitation;
pub(crate) use stochastic_depth::StochasticDepth;

/// A parameter of zeros, which are made only where no value from a state dict takes their place.
fn blank<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let zeros = move |device: &Device, gradient| Tensor::zeros(shape, device).set_require_grad(gradient);
    Param::uninitialized(ParamId::new(), zeros, device.clone(), true, Shape::from(shape))
}
