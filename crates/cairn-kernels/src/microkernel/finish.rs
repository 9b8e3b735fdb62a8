//! What becomes of a tile's sums where they are finished before they leave the registers.

use half::bf16;

use crate::clamp::Bounds;

/// The end of a tile of a bf16 map: `activation(sums + bias + residual)`, rounded, and where it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    /// The indices of the tile's pixels in the map.
    pub(crate) pixels: *const usize,
    /// Channels of the map.
    pub(crate) channels: usize,
    /// The panel's first channel.
    pub(crate) first: usize,
    /// One value for each of the panel's channels.
    pub(crate) bias: *const f32,
    /// A map of the same size, for kernels that add one.
    pub(crate) residual: *const bf16,
    pub(crate) bounds: Bounds,
    /// The map.
    pub(crate) output: *mut bf16,
}
