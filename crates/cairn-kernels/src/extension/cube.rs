//! The operations on graphics cards: composed of Burn's own, with the gradients that those have.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::{Autodiff, Cube};

use super::{NetworkOps, PixelOps};

impl NetworkOps for Cube {}
impl PixelOps for Cube {}
impl<C: CheckpointStrategy> NetworkOps for Autodiff<Cube, C> {}
impl<C: CheckpointStrategy> PixelOps for Autodiff<Cube, C> {}
