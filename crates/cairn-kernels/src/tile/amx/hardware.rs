//! The machine's tile unit, by inline assembly: stable Rust has no intrinsics for it.

use std::arch::asm;
use std::marker::PhantomData;

use super::configuration::Configuration;
use super::{TileShape, TileUnit};
use crate::aligned::Word;

/// The tile unit of the thread that configured it.
///
/// The tile registers keep their values from one `asm!` to the next: the compiler has no use for them of its own, and every
/// other `asm!` of the crate leaves them alone. Each names all eight as clobbered all the same, which is the way to say so and costs nothing.
pub(crate) struct Hardware {
    /// The registers are the thread's: not to be sent to another.
    thread: PhantomData<*mut ()>,
}

/// `asm!` that may change any tile register.
macro_rules! tile_asm {
    ($($argument:tt)*) => {
        asm!(
            $($argument)*,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, preserves_flags),
        )
    };
}

impl TileUnit for Hardware {
    #[inline(always)]
    unsafe fn configured(shape: TileShape) -> Self {
        let configuration = Configuration::new(shape);
        // SAFETY: the machine has the unit, as the caller promises; 64 bytes are read, of a format that is always valid.
        unsafe { tile_asm!("ldtilecfg [{}]", in(reg) &raw const configuration) };
        Self { thread: PhantomData }
    }

    #[inline(always)]
    fn zero<const TILE: usize>(&mut self) {
        // SAFETY: the unit is configured while `self` lives.
        unsafe { tile_asm!("tilezero tmm{}", const TILE) };
    }

    #[inline(always)]
    unsafe fn load<const TILE: usize>(&mut self, from: *const Word, step: usize) {
        let bytes = step * size_of::<Word>();
        // SAFETY: the unit is configured while `self` lives; the caller vouches for the rows.
        unsafe {
            tile_asm!("tileloadd tmm{}, [{} + {}]", const TILE, in(reg) from, in(reg) bytes);
        }
    }

    #[inline(always)]
    unsafe fn store<const TILE: usize>(&self, to: *mut f32, step: usize) {
        let bytes = step * size_of::<f32>();
        // SAFETY: the unit is configured while `self` lives; the caller vouches for the rows.
        unsafe {
            tile_asm!("tilestored [{1} + {2}], tmm{0}", const TILE, in(reg) to, in(reg) bytes);
        }
    }

    #[inline(always)]
    fn multiply_add<const SUMS: usize, const ROWS: usize, const PANEL: usize>(&mut self) {
        // SAFETY: the unit is configured while `self` lives.
        unsafe { tile_asm!("tdpbf16ps tmm{}, tmm{}, tmm{}", const SUMS, const ROWS, const PANEL) };
    }
}

impl Drop for Hardware {
    /// Gives the registers back to their initial state, so that a change of threads need not save them. Whoever comes next
    /// configures them anew, so nothing depends on this having run.
    fn drop(&mut self) {
        // SAFETY: the machine has the unit, as it could be configured.
        unsafe { tile_asm!("tilerelease") };
    }
}
