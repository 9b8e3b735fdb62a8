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

mod block;
mod configuration;
#[cfg(target_arch = "x86_64")]
mod hardware;
mod model;
#[cfg(target_arch = "x86_64")]
mod permission;
mod registers;
mod unit;

pub(crate) use block::{BLOCK_ROWS, BLOCK_TILES, Block, ROW_WORDS, TILE_ROWS};
pub(crate) use configuration::TileShape;
#[cfg(target_arch = "x86_64")]
pub(crate) use hardware::Hardware;
pub(crate) use model::Model;
#[cfg(test)]
pub(crate) use registers::{TileRegisters, multiply_on};
pub(crate) use unit::TileUnit;

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
