//! A block's product on tile registers: the order in which [`Hardware`](super::Hardware) computes too.

use super::block::{Block, ROW_WORDS};
use crate::aligned::Word;

/// Tile registers, by the instructions of the unit. They are numbered by constants, as in instructions.
pub(crate) trait TileRegisters {
    /// Sets all of a tile to zero (`TILEZERO`).
    fn zero<const TILE: usize>(&mut self);

    /// Loads a tile whose rows are `step` words apart (`TILELOADD`).
    ///
    /// # Safety
    /// Every row of the tile's shape must be there for reading. Rows of bf16 may begin between two words.
    unsafe fn load<const TILE: usize>(&mut self, from: *const Word, step: usize);

    /// Stores a tile of sums with its rows `step` f32 apart (`TILESTORED`).
    ///
    /// # Safety
    /// Every row of the tile's shape must be there for writing.
    unsafe fn store<const TILE: usize>(&self, to: *mut f32, step: usize);

    /// Adds to tile `SUMS` the product of tiles `ROWS` and `PANEL` (`TDPBF16PS`).
    fn multiply_add<const SUMS: usize, const ROWS: usize, const PANEL: usize>(&mut self);
}

/// [`TileUnit::multiply`](super::TileUnit::multiply) on any registers.
///
/// # Safety
/// As there.
pub(crate) unsafe fn multiply_on<R: TileRegisters>(
    registers: &mut R,
    block: &Block<'_>,
    row_tiles: usize,
    column_tiles: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match (row_tiles, column_tiles) {
            (1, 1) => multiply_tiles::<R, 1, 1>(registers, block),
            (1, _) => multiply_tiles::<R, 1, 2>(registers, block),
            (_, 1) => multiply_tiles::<R, 2, 1>(registers, block),
            _ => multiply_tiles::<R, 2, 2>(registers, block),
        }
    }
}

/// Tile 0 sums the first rows and columns, 1 the first rows and second columns, 2 and 3 the second rows.
///
/// # Safety
/// As for [`multiply_on`].
unsafe fn multiply_tiles<R: TileRegisters, const ROW_TILES: usize, const COLUMN_TILES: usize>(
    registers: &mut R,
    block: &Block<'_>,
) {
    let panel_step = COLUMN_TILES * ROW_WORDS;
    let [first, second] = block.sums;
    // SAFETY: the caller vouches for every address; the columns of a second tile follow those of the first.
    unsafe {
        begin::<R, 0>(registers, block.accumulate, first, block.sum_step);
        if COLUMN_TILES == 2 {
            begin::<R, 1>(registers, block.accumulate, first.add(ROW_WORDS), block.sum_step);
        }
        if ROW_TILES == 2 {
            begin::<R, 2>(registers, block.accumulate, second, block.sum_step);
        }
        if ROW_TILES == 2 && COLUMN_TILES == 2 {
            begin::<R, 3>(registers, block.accumulate, second.add(ROW_WORDS), block.sum_step);
        }
        for run in block.runs {
            let panel = block.panel.add(run.w);
            registers.load::<6>(panel, panel_step);
            registers.load::<4>(block.rows[0].add(run.x), block.row_step);
            registers.multiply_add::<0, 4, 6>();
            if COLUMN_TILES == 2 {
                registers.load::<7>(panel.add(ROW_WORDS), panel_step);
                registers.multiply_add::<1, 4, 7>();
            }
            if ROW_TILES == 2 {
                registers.load::<5>(block.rows[1].add(run.x), block.row_step);
                registers.multiply_add::<2, 5, 6>();
            }
            if ROW_TILES == 2 && COLUMN_TILES == 2 {
                registers.multiply_add::<3, 5, 7>();
            }
        }
        registers.store::<0>(first, block.sum_step);
        if COLUMN_TILES == 2 {
            registers.store::<1>(first.add(ROW_WORDS), block.sum_step);
        }
        if ROW_TILES == 2 {
            registers.store::<2>(second, block.sum_step);
        }
        if ROW_TILES == 2 && COLUMN_TILES == 2 {
            registers.store::<3>(second.add(ROW_WORDS), block.sum_step);
        }
    }
}

/// Sets a tile of sums to zero, or to what is in memory.
///
/// # Safety
/// When accumulating, the sums must be there for reading.
#[inline(always)]
unsafe fn begin<R: TileRegisters, const TILE: usize>(
    registers: &mut R,
    accumulate: bool,
    sums: *const f32,
    step: usize,
) {
    if accumulate {
        // SAFETY: as the caller promises.
        unsafe { registers.load::<TILE>(sums.cast(), step) };
    } else {
        registers.zero::<TILE>();
    }
}
