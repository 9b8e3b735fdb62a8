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
mod transforms;
mod weights;

pub(super) use gradient::weight_gradient;
pub(super) use product::Product;
pub(super) use weights::pack;

use transforms::Lanes;

use super::patch::Map;
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Conv2dShape, Extent};

/// Channels below which the transformations cost as much as they save.
const LEAST_CHANNELS: usize = 16;

/// Tiles below which reading the larger weights costs more than is saved.
const LEAST_TILES: usize = 24;

/// Output pixels of a tile along an axis.
const PIXELS: usize = 4;

/// Positions of a tile along an axis: its output pixels and what a 3x3 kernel sees around them.
const SIDE: usize = PIXELS + 2;

/// Positions of a tile.
const POSITIONS: usize = SIDE * SIDE;

/// Whether a convolution is computed this way, in all three of its products.
pub(super) fn serves<T: Element>(isa: Isa, shape: &Conv2dShape) -> bool {
    let options = shape.options();
    // A tile unit multiplies faster than the tiles could be brought to it and back.
    T::tile_unit(isa).is_none()
        && !shape.is_depthwise()
        && options.kernel == Extent::square(3)
        && options.stride == 1
        && options.padding <= 2
        && options.inputs.min(options.outputs) >= LEAST_CHANNELS
        && options.batch * Tiling::of(shape.output_map()).tiles() >= LEAST_TILES
}

/// The tiles of a map, row by row. Tiles at its end may reach beyond it.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    rows: usize,
    columns: usize,
}

impl Tiling {
    fn of(map: Extent) -> Self {
        Self { rows: map.height.div_ceil(PIXELS), columns: map.width.div_ceil(PIXELS) }
    }

    /// Tiles of one photo.
    fn tiles(self) -> usize {
        self.rows * self.columns
    }

    /// The photo of a tile of the batch, and its first pixel's row and column.
    fn locate(self, tile: usize) -> (usize, usize, usize) {
        let (photo, tile) = (tile / self.tiles(), tile % self.tiles());
        (photo, tile / self.columns * PIXELS, tile % self.columns * PIXELS)
    }
}

/// Splits channels into blocks that are transformed in registers, as (first channel, channels).
fn blocks(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let width = [16, 8, 1].into_iter().find(|width| first + width <= channels)?;
        first += width;
        Some((first - width, width))
    })
}

/// Calls a function that is generic over the element type and the width of a block.
macro_rules! with_block {
    ($width:expr, $function:ident::<$element:ident>($($argument:expr),* $(,)?)) => {
        match $width {
            16 => $function::<$element, 16>($($argument),*),
            8 => $function::<$element, 8>($($argument),*),
            _ => $function::<$element, 1>($($argument),*),
        }
    };
}
use with_block;

/// A square of pixels that begins at a row and a column, with some channels from `first` on. It is zero outside of the
/// map.
#[derive(Clone, Copy)]
struct Square<'a, T> {
    map: Map<'a, T>,
    photo: usize,
    row: isize,
    column: isize,
    first: usize,
}

impl<T: Element> Square<'_, T> {
    /// The channels of the pixel at a row and a column of the square.
    #[inline(always)]
    fn pixel<const L: usize>(&self, row: usize, column: usize) -> Lanes<L> {
        let Extent { height, width } = self.map.extent;
        // A negative place is a huge one as an unsigned number.
        let (row, column) = ((self.row + row as isize) as usize, (self.column + column as isize) as usize);
        if row >= height || column >= width {
            return [0.0; L];
        }
        let at = ((self.photo * height + row) * width + column) * self.map.channels + self.first;
        let values = &self.map.pixels[at..at + L];
        let mut lanes = [0.0; L];
        for lane in 0..L {
            lanes[lane] = values[lane].to_f32();
        }
        lanes
    }
}
