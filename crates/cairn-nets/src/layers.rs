//! The layers that the networks share, with torchvision's parameters: each computes on the kernels, or enters itself in
//! a graph.

mod batch_norm;
mod conv;
mod linear;

pub(crate) use batch_norm::BatchNorm;
pub(crate) use conv::Conv;
pub(crate) use linear::Linear;
