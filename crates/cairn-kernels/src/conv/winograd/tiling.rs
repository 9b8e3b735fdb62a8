//! The tiles of a map, and the blocks of channels that are transformed together.

use crate::shape::Extent;

/// Output pixels of a tile along an axis.
pub(super) const PIXELS: usize = 4;

/// Positions of a tile along an axis: its output pixels and what a 3x3 kernel sees around them.
pub(super) const SIDE: usize = PIXELS + 2;

/// Positions of a tile.
pub(super) const POSITIONS: usize = SIDE * SIDE;

/// The tiles of a map, row by row. Tiles at its end may reach beyond it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiling {
    rows: usize,
    columns: usize,
}

impl Tiling {
    pub(super) fn of(map: Extent) -> Self {
        Self { rows: map.height.div_ceil(PIXELS), columns: map.width.div_ceil(PIXELS) }
    }

    /// Tiles of one photo.
    pub(super) fn tiles(self) -> usize {
        self.rows * self.columns
    }

    /// The photo of a tile of the batch, and its first pixel's row and column.
    pub(super) fn locate(self, tile: usize) -> (usize, usize, usize) {
        let (photo, tile) = (tile / self.tiles(), tile % self.tiles());
        (photo, tile / self.columns * PIXELS, tile % self.columns * PIXELS)
    }
}

/// Splits channels into blocks that are transformed in registers, as (first channel, channels).
pub(super) fn blocks(channels: usize) -> impl Iterator<Item = (usize, usize)> {
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
pub(super) use with_block;
