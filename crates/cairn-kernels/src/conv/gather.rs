//! The gathering product: what forward convolutions and gradients to the input are.

use super::axis::Sweep;
use super::epilogue::Epilogue;
use super::pack::PackedWeights;
use super::patch::Map;
use crate::shape::Extent;

/// A gathering product from one map to another.
pub(super) struct Gather<'a, T> {
    pub(super) source: Map<'a, T>,
    pub(super) batch: usize,
    pub(super) kernel_width: usize,
    pub(super) weights: &'a PackedWeights<T>,
    pub(super) sweeps: Vec<Sweep>,
    pub(super) destination: Extent,
    pub(super) destination_channels: usize,
    pub(super) epilogue: Epilogue<'a, T>,
}
