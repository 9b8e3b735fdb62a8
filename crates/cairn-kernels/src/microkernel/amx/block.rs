//! A block's operands, and how large it is.

use crate::aligned::Word;
use crate::microkernel::run::Run;

/// Rows of a tile at most, and columns of a tile of sums.
pub(crate) const TILE_ROWS: usize = 16;

/// Words of a tile's row: 64 bytes.
pub(crate) const ROW_WORDS: usize = 16;

/// Tiles of rows in a block, and tiles of columns, at most.
pub(crate) const BLOCK_TILES: usize = 2;

/// Rows of a block at most.
pub(crate) const BLOCK_ROWS: usize = BLOCK_TILES * TILE_ROWS;

/// One block's operands: up to two tiles of rows by a panel of one or two tiles of columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// The first row of each tile of rows; the second is not read where there is one tile.
    pub(crate) rows: [*const Word; BLOCK_TILES],
    /// Words from one row to the next.
    pub(crate) row_step: usize,
    /// The stretches to sum over, each as deep as the unit is configured for.
    pub(crate) runs: &'a [Run],
    /// The panel: for each word of depth, one word per column.
    pub(crate) panel: *const Word,
    /// Where the sums of each tile of rows go.
    pub(crate) sums: [*mut f32; BLOCK_TILES],
    /// f32 from one row of sums to the next.
    pub(crate) sum_step: usize,
    /// Whether to add to the sums that are there already.
    pub(crate) accumulate: bool,
}
