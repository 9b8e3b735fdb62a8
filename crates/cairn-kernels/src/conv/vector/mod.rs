//! Dense convolutions on vector instructions.

pub(super) mod gather;
pub(super) mod weight_gradient;
