//! What a tile unit does, and that a thread has one at most.

use std::cell::Cell;
use std::marker::PhantomData;

use super::block::Block;
use super::configuration::TileShape;

/// A thread's tile unit, configured; given back when dropped.
///
/// Registers and configuration belong to the thread: a unit is made, used and dropped on one thread.
pub(crate) trait TileUnit {
    /// Configures the unit of this thread. Tiles 0 to 3 hold sums, 4 and 5 rows, 6 and 7 a panel.
    ///
    /// # Safety
    /// The process must be allowed to use the unit, see [`is_granted`](super::is_granted).
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

thread_local! {
    static HAS_UNIT: Cell<bool> = const { Cell::new(false) };
}

/// What a thread's only unit holds while it is configured.
#[derive(Debug)]
pub(super) struct OnlyUnit {
    /// Of this thread: not to be sent to another.
    thread: PhantomData<*mut ()>,
}

impl OnlyUnit {
    /// # Panics
    /// When this thread has a unit already.
    pub(super) fn of_this_thread() -> Self {
        assert!(!HAS_UNIT.replace(true), "this thread has a tile unit already");
        Self { thread: PhantomData }
    }
}

impl Drop for OnlyUnit {
    fn drop(&mut self) {
        HAS_UNIT.set(false);
    }
}
