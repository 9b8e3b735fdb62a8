//! 3x3 convolutions with stride 1 by Winograd's minimal filtering (Lavin and Gray 2016, <https://arxiv.org/abs/1509.09308>).
//!
//! A tile of 4 x 4 output pixels and the 6 x 6 input pixels under it are brought into another basis, where the
//! convolution is one multiplication for each of the 36 positions instead of nine for each of the 16 pixels:
//!
//! ```text
//! forward            Y  = A^T [ sum over channels (G w G^T) * (B^T x B) ] A
//! weights' gradient  dw = G^T [ sum over tiles (B^T x B) * (A dY A^T) ] G
//! ```
//!
//! For every position that is a plain product of matrices, which the microkernel computes. The basis is of f32 for
//! bf16 maps too: its sums would magnify what was rounded to eight bits (2 % of error instead of 0.2 %), and a quarter
//! of the multiplications in f32 is less work than all of them in bf16.

mod gradient;
mod product;
mod square;
mod tiling;
mod transforms;
mod weights;

pub(super) use gradient::weight_gradient;
pub(super) use product::Product;
pub(super) use weights::pack;

use tiling::Tiling;

use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Conv2dShape, Extent};

/// Channels below which the transformations cost as much as they save.
const LEAST_CHANNELS: usize = 16;

/// Tiles below which reading the larger weights costs more than is saved.
const LEAST_TILES: usize = 24;

/// Whether a convolution is computed this way, in all three of its products.
pub(super) fn serves<T: Element>(isa: Isa, shape: &Conv2dShape) -> bool {
    let options = shape.options();
    // A tile unit multiplies faster than the tiles could be brought to it and back.
    T::tile_unit(isa).is_none()
        && !shape.is_depthwise()
        && options.kernel == Extent::square(3)
        && options.stride == 1
        // At stride 1 both axes have as many.
        && shape.leading_zeros().height <= 2
        && options.inputs.min(options.outputs) >= LEAST_CHANNELS
        && options.batch * Tiling::of(shape.output_map()).tiles() >= LEAST_TILES
}
