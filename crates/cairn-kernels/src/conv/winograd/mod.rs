//! 3x3 convolutions with stride 1 by Winograd's minimal filtering (Lavin and Gray 2016, <https://arxiv.org/abs/1509.09308>).
//!
//! A tile of m x m output pixels and the (m + 2) x (m + 2) input pixels under it are brought into another basis, where the
//! convolution is one multiplication for each of the (m + 2)^2 positions instead of nine for each of the m^2 pixels:
//!
//! ```text
//! forward            Y  = A^T [ sum over channels (G w G^T) * (B^T x B) ] A
//! weights' gradient  dw = G^T [ sum over tiles (B^T x B) * (A dY A^T) ] G
//! ```
//!
//! For every position that is a plain product of matrices, for which the tile kernel serves. f32 takes m = 4, a quarter of the
//! multiplications; bf16 takes m = 2, with 16 instead of 36 for each tile, because the sums of m = 4 magnify what was
//! rounded to eight bits beyond what is borne (2 % instead of 0.4 %).

mod gradient;
mod product;
mod transforms;
mod weights;

use std::ops::Range;

pub(super) use gradient::weight_gradient;
pub(super) use product::Product;
pub(super) use weights::pack;

use transforms::Lanes;

use super::patch::Map;
use crate::element::Element;
use crate::shape::{Conv2dShape, Extent};

/// Channels below which the transformations cost as much as they save.
const LEAST_CHANNELS: usize = 16;

/// Tiles below which reading the larger weights costs more than is saved.
const LEAST_TILES: usize = 24;

/// Whether a convolution is computed this way, in all three of its products.
pub(super) fn serves<T: Element>(shape: &Conv2dShape) -> bool {
    let options = shape.options();
    !shape.is_depthwise()
        && options.kernel == Extent::square(3)
        && options.stride == 1
        && options.padding <= 2
        && options.inputs.min(options.outputs) >= LEAST_CHANNELS
        && options.batch * Tiling::of::<T>(shape.output_map()).tiles() >= LEAST_TILES
}

/// Pixels of a tile along an axis.
const fn tile_pixels<T: Element>() -> usize {
    if T::PER_WORD == 1 { 4 } else { 2 }
}

/// Positions of a tile.
const fn positions<T: Element>() -> usize {
    let side = tile_pixels::<T>() + 2;
    side * side
}

/// How a map is cut into tiles, row by row; those at its end may stand over.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    side: usize,
    rows: usize,
    columns: usize,
}

impl Tiling {
    fn of<T: Element>(map: Extent) -> Self {
        let side = tile_pixels::<T>();
        Self { side, rows: map.height.div_ceil(side), columns: map.width.div_ceil(side) }
    }

    /// Tiles of one photo.
    fn tiles(self) -> usize {
        self.rows * self.columns
    }

    /// The photo of a tile of the batch, and its first pixel's row and column.
    fn locate(self, tile: usize) -> (usize, usize, usize) {
        let (photo, tile) = (tile / self.tiles(), tile % self.tiles());
        (photo, tile / self.columns * self.side, tile % self.columns * self.side)
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

/// Calls a function that is generic over the width of a block and the sides of a tile.
macro_rules! with_block {
    ($width:expr, $function:ident::<$element:ident>($($argument:expr),* $(,)?)) => {
        match ($element::PER_WORD, $width) {
            (1, 16) => $function::<$element, 16, 6, 4>($($argument),*),
            (1, 8) => $function::<$element, 8, 6, 4>($($argument),*),
            (1, _) => $function::<$element, 1, 6, 4>($($argument),*),
            (_, 16) => $function::<$element, 16, 4, 2>($($argument),*),
            (_, 8) => $function::<$element, 8, 4, 2>($($argument),*),
            (_, _) => $function::<$element, 1, 4, 2>($($argument),*),
        }
    };
}
use with_block;

/// Some channels, from `first` on, of the square of `N` x `N` pixels that begins at `row` and `column`, with zeros where it
/// stands over the map.
#[inline(always)]
fn load<T: Element, const L: usize, const N: usize>(
    map: &Map<'_, T>,
    photo: usize,
    [row, column]: [isize; 2],
    first: usize,
) -> [[Lanes<L>; N]; N] {
    let mut square = [[[0.0; L]; N]; N];
    let inside = |start: isize, len: usize| -> Range<usize> {
        let end = (len as isize - start).clamp(0, N as isize) as usize;
        ((-start).clamp(0, N as isize) as usize).min(end)..end
    };
    let (rows, columns) = (inside(row, map.extent.height), inside(column, map.extent.width));
    for y in rows {
        let line = (photo * map.extent.height + (row + y as isize) as usize) * map.extent.width;
        for x in columns.clone() {
            let at = (line + (column + x as isize) as usize) * map.channels + first;
            let values = &map.pixels[at..at + L];
            for lane in 0..L {
                square[y][x][lane] = values[lane].to_f32();
            }
        }
    }
    square
}
