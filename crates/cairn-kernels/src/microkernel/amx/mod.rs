//! The block product of AMX's tile unit: all of a sum's depth in one go, with the sums in the unit's registers.
//!
//! The unit has eight tile registers of 16 rows of 64 bytes, and one instruction that multiplies: `TDPBF16PS` adds
//! to a tile of 16 x 16 f32 the product of a tile of rows (16 rows of 16 words, each word two neighbouring bf16)
//! and a tile of a panel (16 words deep, 16 columns). It takes 16 cycles, while loading a tile takes at least 8. So
//! a [`Block`] is two tiles of rows by two tiles of columns: each tile that is loaded is used twice, and four loads
//! go with four products.
//!
//! The operands are those of the [vector tile](super): rows that are read in place, at offsets that all rows
//! share, and the panel, a line of words for each word of depth. But a tile is loaded with one distance from row to
//! row, so here rows must be evenly apart.
//!
//! All that the rest of the crate knows of the unit is the trait [`TileUnit`], with two implementations: the machine's
//! own ([`Hardware`]) and a model in plain Rust ([`Model`]), on which everything above them is tested wherever the tests
//! run.

mod configuration;
#[cfg(target_arch = "x86_64")]
mod hardware;
mod model;
#[cfg(target_arch = "x86_64")]
mod permission;
mod registers;

pub(crate) use configuration::TileShape;
#[cfg(target_arch = "x86_64")]
pub(crate) use hardware::Hardware;
pub(crate) use model::Model;
#[cfg(test)]
pub(crate) use registers::{TileRegisters, multiply_on};

use std::cell::Cell;
use std::marker::PhantomData;

use super::run::Run;
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

/// Whether the machine has the tile unit, and its system is Linux and saves the unit's registers. Asks nothing of the
/// system.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_detected() -> bool {
    cfg!(target_os = "linux") && permission::Processor::this().is_some_and(permission::Processor::has_tiles)
}

/// Whether this process may use the tile unit. The first call asks the system for that.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_granted() -> bool {
    is_detected() && permission::granted()
}

/// Evaluates an expression for the type of tile unit that a [`UnitKind`] names.
macro_rules! with_unit {
    ($kind:expr, $unit:ident => $body:expr) => {
        match $kind {
            #[cfg(target_arch = "x86_64")]
            $crate::microkernel::amx::UnitKind::Hardware => {
                type $unit = $crate::microkernel::amx::Hardware;
                $body
            }
            $crate::microkernel::amx::UnitKind::Model => {
                type $unit = $crate::microkernel::amx::Model;
                $body
            }
        }
    };
}
pub(crate) use with_unit;

/// A thread's tile unit, configured; given back when dropped.
///
/// Registers and configuration belong to the thread: a unit is made, used and dropped on one thread.
pub(crate) trait TileUnit {
    /// Configures the unit of this thread. Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 a panel.
    ///
    /// # Safety
    /// The process must be allowed to use the unit, see [`is_granted`].
    ///
    /// # Panics
    /// When this thread has a unit already: configuring a second would change the shapes of the first.
    unsafe fn configured(shape: TileShape) -> Self;

    /// Computes a block of one or two tiles of rows and of columns.
    ///
    /// # Safety
    /// Every address must be valid for the shape that the unit is configured for: `rows[i] + row * row_step + run.x`
    /// for reading a run, `panel + run.w` for reading the run's part of the panel, `sums[i] + row * sum_step` for
    /// writing (and reading, when accumulating) a row of columns.
    unsafe fn multiply(&mut self, block: &Block<'_>, row_tiles: usize, column_tiles: usize);
}

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

thread_local! {
    static HAS_UNIT: Cell<bool> = const { Cell::new(false) };
}

/// What a thread's only unit holds while it is configured.
#[derive(Debug)]
struct OnlyUnit {
    /// Of this thread: not to be sent to another.
    thread: PhantomData<*mut ()>,
}

impl OnlyUnit {
    /// # Panics
    /// When this thread has a unit already.
    fn of_this_thread() -> Self {
        assert!(!HAS_UNIT.replace(true), "this thread has a tile unit already");
        Self { thread: PhantomData }
    }
}

impl Drop for OnlyUnit {
    fn drop(&mut self) {
        HAS_UNIT.set(false);
    }
}
