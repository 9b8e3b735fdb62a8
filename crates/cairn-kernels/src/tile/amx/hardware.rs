//! The machine's tile unit, by inline assembly: stable Rust has no intrinsics for it.

use std::arch::asm;
use std::marker::PhantomData;

use super::configuration::Configuration;
use super::{TileShape, TileUnit};
use crate::aligned::Word;

/// The tile unit of the thread that configured it.
///
/// The tile registers keep their values from one `asm!` to the next: the compiler has no use for them of its own,
/// and every other `asm!` of the crate leaves them alone. Each names all eight as clobbered all the same, which is
/// the way to say so and costs nothing.
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
        // SAFETY: the machine has the unit, as the caller promises; 64 bytes are read, of a format that is always
        // valid.
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
    /// Gives the registers back to their initial state, so that a change of threads need not save them. Whoever
    /// comes next configures them anew, so nothing depends on this having run.
    fn drop(&mut self) {
        // SAFETY: the machine has the unit, as it could be configured.
        unsafe { tile_asm!("tilerelease") };
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::tile::Run;
    use crate::tile::amx::{BLOCK_ROWS, Block, Model, ROW_WORDS};

    /// `VEX.128.F3.0F38.W0 5C 11:rrr:bbb` of Intel's manual: the sums in `rrr`, the rows in `bbb`, the panel
    /// inverted in `vvvv`.
    fn tdpbf16ps(sums: u8, rows: u8, panel: u8) -> [u8; 5] {
        [0xc4, 0xe2, (!panel & 0xf) << 3 | 0b10, 0x5c, 0xc0 | sums << 3 | rows]
    }

    #[test]
    fn the_machine_code_multiplies_rows_by_panels_in_the_manuals_encoding() {
        // Keeps the code in this program, of which nothing else may need it.
        let multiply: unsafe fn(&Block<'static>, &mut Hardware, usize, usize) = Block::multiply::<Hardware>;
        black_box(multiply);
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // The operands are hidden from the compiler, lest it put the bytes sought into the program.
        let contains = |operands: [u8; 3]| {
            let [sums, rows, panel] = black_box(operands);
            let code = tdpbf16ps(sums, rows, panel);
            program.windows(code.len()).any(|bytes| bytes == code)
        };
        for operands in [[0, 4, 6], [1, 4, 7], [2, 5, 6], [3, 5, 7]] {
            assert!(contains(operands), "{operands:?}");
        }
        assert!(!contains([3, 4, 6]), "a product that no block needs");
    }

    /// Sums of a block of some shape, twice in a row so that sums are loaded too.
    fn block<U: TileUnit>(shape: TileShape, row_tiles: usize, column_tiles: usize) -> Vec<u32> {
        // Bits all over the place, denormal numbers, infinities and NaN among them: a linear congruential generator.
        let words: Vec<Word> = std::iter::successors(Some(1_u32), |word| {
            Some(word.wrapping_mul(747_796_405).wrapping_add(2_891_336_453))
        })
        .take(BLOCK_ROWS * ROW_WORDS * 4)
        .collect();
        let mut sums = vec![0.0_f32; BLOCK_ROWS * 2 * ROW_WORDS];
        let (first, second) = sums.split_at_mut(BLOCK_ROWS * ROW_WORDS);
        // SAFETY: the caller has the unit; all operands are whole tiles.
        let mut unit = unsafe { U::configured(shape) };
        for accumulate in [false, true] {
            let block = Block {
                rows: [words.as_ptr(), words[3..].as_ptr()],
                row_step: ROW_WORDS + 1,
                runs: &[Run { x: 0, w: 0 }, Run { x: 5, w: 40 }],
                panel: words[17..].as_ptr(),
                sums: [first.as_mut_ptr(), second.as_mut_ptr()],
                sum_step: 2 * ROW_WORDS,
                accumulate,
            };
            // SAFETY: as above.
            unsafe { block.multiply(&mut unit, row_tiles, column_tiles) };
        }
        // Which NaN it is the manual leaves open.
        sums.iter().map(|sum| if sum.is_nan() { f32::NAN.to_bits() } else { sum.to_bits() }).collect()
    }

    #[test]
    #[allow(clippy::print_stderr)]
    fn the_machine_computes_what_the_model_does() {
        if !crate::tile::amx::is_available() {
            eprintln!("skipped: this machine has no tile unit, or does not let this process use it");
            return;
        }
        for (rows, depth) in [(16, 16), (16, 14), (9, 1), (1, 12)] {
            let shape = TileShape { rows, depth };
            for (row_tiles, column_tiles) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                let expected = block::<Model>(shape, row_tiles, column_tiles);
                let actual = block::<Hardware>(shape, row_tiles, column_tiles);
                assert_eq!(actual, expected, "{shape:?}, {row_tiles} x {column_tiles}");
            }
        }
    }
}
