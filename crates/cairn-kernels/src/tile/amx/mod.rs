//! The block product of AMX's tile unit: all of a sum's depth in one go, with the sums in the unit's registers.
//!
//! The unit has eight tile registers of 16 rows of 64 bytes, and one instruction that multiplies: `TDPBF16PS` adds
//! to a tile of 16 x 16 f32 the product of a tile of rows (16 rows of 16 words, each word two neighbouring bf16)
//! and a tile of a panel (16 words deep, 16 columns). It takes 16 cycles, while loading a tile takes at least 8. So
//! a [`Block`] is two tiles of rows by two tiles of columns: each tile that is loaded is used twice, and four loads
//! go with four products.
//!
//! The operands are those of the [vector tile](super): rows that are read where they lie, at offsets that all rows
//! share, and the panel, a line of words for each word of depth. But a tile is loaded with one distance from row to
//! row, so here rows must be evenly apart.
//!
//! Five operations are all that the rest of the crate knows of the unit. They are a trait, [`TileUnit`], with two
//! implementations: the machine's own ([`Hardware`]) and a model in plain Rust ([`Model`]), on which everything above
//! them is tested wherever the tests run.

mod configuration;
#[cfg(target_arch = "x86_64")]
mod hardware;
mod model;
#[cfg(target_arch = "x86_64")]
mod permission;

pub(crate) use configuration::TileShape;
#[cfg(target_arch = "x86_64")]
pub(crate) use hardware::Hardware;
pub(crate) use model::Model;

use super::Run;
use crate::aligned::Word;

/// Rows of a tile at most, and columns of a tile of sums.
pub(crate) const TILE_ROWS: usize = 16;

/// Words of a tile's row: 64 bytes.
pub(crate) const ROW_WORDS: usize = 16;

/// Tiles of rows in a block, and tiles of columns, at most.
pub(crate) const BLOCK_TILES: usize = 2;

/// Rows of a block at most.
pub(crate) const BLOCK_ROWS: usize = BLOCK_TILES * TILE_ROWS;

/// Which implementation of the tile unit computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// The machine's own.
    #[cfg(target_arch = "x86_64")]
    Hardware,
    /// The model in plain Rust.
    Model,
}

/// Whether the machine has the tile unit and its operating system lets this process use it.
pub(crate) fn is_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return permission::granted();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Evaluates an expression for the type of tile unit that a [`UnitKind`] names.
macro_rules! with_unit {
    ($kind:expr, $unit:ident => $body:expr) => {
        match $kind {
            #[cfg(target_arch = "x86_64")]
            $crate::tile::amx::UnitKind::Hardware => {
                type $unit = $crate::tile::amx::Hardware;
                $body
            }
            $crate::tile::amx::UnitKind::Model => {
                type $unit = $crate::tile::amx::Model;
                $body
            }
        }
    };
}
pub(crate) use with_unit;

/// A thread's tile unit, configured; given back when dropped.
///
/// Tiles are numbered by constants, since instructions name registers. Registers and configuration belong to the
/// thread: a unit is made, used and dropped on one thread, and only one exists at a time.
pub(crate) trait TileUnit {
    /// Configures the unit of this thread. Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 a panel.
    ///
    /// # Safety
    /// The machine must have the unit, see [`is_available`].
    unsafe fn configured(shape: TileShape) -> Self;

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

/// One block's operands: up to two tiles of rows by a panel of one or two tiles of columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// The first row of each tile of rows; the second is not looked at where there is but one.
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
    /// Whether to add to what stands there already.
    pub(crate) accumulate: bool,
}

impl Block<'_> {
    /// Computes the block, of one or two tiles of rows and of columns.
    ///
    /// # Safety
    /// Every address must be valid for the shape that the unit is configured for: `rows[i] + row * row_step + run.x`
    /// for reading a run, `panel + run.w` for reading the run's part of the panel, `sums[i] + row * sum_step` for
    /// writing (and reading, when accumulating) a row of columns.
    #[inline]
    pub(crate) unsafe fn multiply<U: TileUnit>(&self, unit: &mut U, row_tiles: usize, column_tiles: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            match (row_tiles, column_tiles) {
                (1, 1) => self.multiply_tiles::<U, 1, 1>(unit),
                (1, _) => self.multiply_tiles::<U, 1, 2>(unit),
                (_, 1) => self.multiply_tiles::<U, 2, 1>(unit),
                _ => self.multiply_tiles::<U, 2, 2>(unit),
            }
        }
    }

    /// Tile 0 sums the first rows and columns, 1 the first rows and second columns, 2 and 3 the second rows.
    ///
    /// # Safety
    /// As for [`Block::multiply`].
    unsafe fn multiply_tiles<U: TileUnit, const ROW_TILES: usize, const COLUMN_TILES: usize>(
        &self,
        unit: &mut U,
    ) {
        let panel_step = COLUMN_TILES * ROW_WORDS;
        let [first, second] = self.sums;
        // SAFETY: the caller vouches for every address; the columns of a second tile follow those of the first.
        unsafe {
            begin::<U, 0>(unit, self.accumulate, first, self.sum_step);
            if COLUMN_TILES == 2 {
                begin::<U, 1>(unit, self.accumulate, first.add(ROW_WORDS), self.sum_step);
            }
            if ROW_TILES == 2 {
                begin::<U, 2>(unit, self.accumulate, second, self.sum_step);
            }
            if ROW_TILES == 2 && COLUMN_TILES == 2 {
                begin::<U, 3>(unit, self.accumulate, second.add(ROW_WORDS), self.sum_step);
            }
            for run in self.runs {
                let panel = self.panel.add(run.w);
                unit.load::<6>(panel, panel_step);
                unit.load::<4>(self.rows[0].add(run.x), self.row_step);
                unit.multiply_add::<0, 4, 6>();
                if COLUMN_TILES == 2 {
                    unit.load::<7>(panel.add(ROW_WORDS), panel_step);
                    unit.multiply_add::<1, 4, 7>();
                }
                if ROW_TILES == 2 {
                    unit.load::<5>(self.rows[1].add(run.x), self.row_step);
                    unit.multiply_add::<2, 5, 6>();
                }
                if ROW_TILES == 2 && COLUMN_TILES == 2 {
                    unit.multiply_add::<3, 5, 7>();
                }
            }
            unit.store::<0>(first, self.sum_step);
            if COLUMN_TILES == 2 {
                unit.store::<1>(first.add(ROW_WORDS), self.sum_step);
            }
            if ROW_TILES == 2 {
                unit.store::<2>(second, self.sum_step);
            }
            if ROW_TILES == 2 && COLUMN_TILES == 2 {
                unit.store::<3>(second.add(ROW_WORDS), self.sum_step);
            }
        }
    }
}

/// Sets a tile of sums to zero, or to what stands in memory.
///
/// # Safety
/// When accumulating, the sums must be there for reading.
#[inline(always)]
unsafe fn begin<U: TileUnit, const TILE: usize>(
    unit: &mut U,
    accumulate: bool,
    sums: *const f32,
    step: usize,
) {
    if accumulate {
        // SAFETY: as the caller promises.
        unsafe { unit.load::<TILE>(sums.cast(), step) };
    } else {
        unit.zero::<TILE>();
    }
}
