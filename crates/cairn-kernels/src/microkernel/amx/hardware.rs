//! The machine's tile unit, by inline assembly: stable Rust has no intrinsics for it.

use std::arch::asm;
use std::mem::offset_of;

use super::block::{BLOCK_TILES, Block, ROW_WORDS};
use super::configuration::{Configuration, TileShape};
use super::unit::{OnlyUnit, TileUnit};
use crate::aligned::Word;
use crate::microkernel::run::Run;

/// The tile unit of the thread that configured it.
///
/// A block is one `asm!`, so no value has to stay in a tile register from one `asm!` to the next; each says that it
/// changes all eight. Between them stays only the configuration, which nothing else in the process touches: no
/// compiler makes code for the unit by itself, and a thread has one unit at a time.
pub(crate) struct Hardware {
    _only: OnlyUnit,
}

/// `asm!` that may change any tile register.
macro_rules! tile_asm {
    ($($argument:tt)*) => {
        asm!(
            $($argument)*,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// What a block's code reads from memory, where registers are short.
#[repr(C)]
struct Operands {
    rows: [*const Word; BLOCK_TILES],
    sums: [*mut f32; BLOCK_TILES],
    /// In bytes.
    sum_step: usize,
    accumulate: usize,
}

/// The code of a block. `zero` and `load` begin the sums, `step` multiplies a run, `store` ends them.
///
/// In `load` and `store`, `w` is the address of the first tile's sums and `x` the bytes between their rows. In `step`,
/// `w` is the address of the run's part of the panel and `x` that of the first tile's rows.
macro_rules! block_asm {
    (
        $block:expr, column_tiles: $column_tiles:literal,
        zero: [$($zero:literal),*], load: [$($load:literal),*],
        step: [$($step:literal),*], store: [$($store:literal),*] $(,)?
    ) => {{
        let Block { rows, row_step, runs, panel, sums, sum_step, accumulate } = *$block;
        let operands = Operands {
            rows,
            sums,
            sum_step: sum_step * size_of::<f32>(),
            accumulate: usize::from(accumulate),
        };
        tile_asm!(
            "cmp qword ptr [{operands} + {accumulate}], 0",
            "jne 2f",
            $($zero,)*
            "jmp 3f",
            "2:",
            "mov {w}, [{operands} + {sums}]",
            "mov {x}, [{operands} + {sum_step}]",
            $($load,)*
            "3:",
            "cmp {run}, {end}",
            "je 5f",
            "4:",
            "mov {w}, [{run} + {run_w}]",
            "mov {x}, [{run} + {run_x}]",
            "lea {w}, [{panel} + 4*{w}]",
            "shl {x}, 2",
            "add {x}, [{operands} + {rows}]",
            $($step,)*
            "add {run}, {run_size}",
            "cmp {run}, {end}",
            "jne 4b",
            "5:",
            "mov {w}, [{operands} + {sums}]",
            "mov {x}, [{operands} + {sum_step}]",
            $($store,)*
            operands = in(reg) &raw const operands,
            run = inout(reg) runs.as_ptr() => _,
            end = in(reg) runs.as_ptr_range().end,
            panel = in(reg) panel,
            panel_step = in(reg) $column_tiles * ROW_WORDS * size_of::<Word>(),
            row_step = in(reg) row_step * size_of::<Word>(),
            w = out(reg) _,
            x = out(reg) _,
            rows = const offset_of!(Operands, rows),
            sums = const offset_of!(Operands, sums),
            sum_step = const offset_of!(Operands, sum_step),
            accumulate = const offset_of!(Operands, accumulate),
            run_x = const offset_of!(Run, x),
            run_w = const offset_of!(Run, w),
            run_size = const size_of::<Run>()
        )
    }};
}

/// Addresses of a second tile of rows and of its sums are a pointer further on in [`Operands`].
macro_rules! two_rows_asm {
    (
        $block:expr, column_tiles: $column_tiles:literal,
        zero: [$($zero:literal),*], load: [$($load:literal),*], load_second: [$($load_second:literal),*],
        step: [$($step:literal),*], step_second: [$($step_second:literal),*],
        store: [$($store:literal),*], store_second: [$($store_second:literal),*] $(,)?
    ) => {
        block_asm!(
            $block, column_tiles: $column_tiles,
            zero: [$($zero),*],
            load: [$($load,)* "mov {w}, [{operands} + {sums} + 8]", $($load_second),*],
            step: [
                $($step,)*
                "mov {x}, [{run} + {run_x}]", "shl {x}, 2", "add {x}, [{operands} + {rows} + 8]",
                $($step_second),*
            ],
            store: [$($store,)* "mov {w}, [{operands} + {sums} + 8]", $($store_second),*],
        )
    };
}

impl TileUnit for Hardware {
    #[inline(always)]
    unsafe fn configured(shape: TileShape) -> Self {
        let configuration = Configuration::new(shape);
        let only = OnlyUnit::of_this_thread();
        // SAFETY: the process may use the unit, as the caller promises; 64 bytes are read, of a format that is always
        // valid.
        unsafe { tile_asm!("ldtilecfg [{}]", in(reg) &raw const configuration) };
        Self { _only: only }
    }

    #[inline]
    unsafe fn multiply(&mut self, block: &Block<'_>, row_tiles: usize, column_tiles: usize) {
        // SAFETY: the unit is configured while `self` lives; the caller vouches for every address; the columns of a
        // second tile follow those of the first, 64 bytes further on.
        unsafe {
            match (row_tiles, column_tiles) {
                (1, 1) => block_asm!(
                    block, column_tiles: 1,
                    zero: ["tilezero tmm0"],
                    load: ["tileloadd tmm0, [{w} + 1*{x}]"],
                    step: [
                        "tileloadd tmm6, [{w} + 1*{panel_step}]",
                        "tileloadd tmm4, [{x} + 1*{row_step}]",
                        "tdpbf16ps tmm0, tmm4, tmm6"
                    ],
                    store: ["tilestored [{w} + 1*{x}], tmm0"],
                ),
                (1, _) => block_asm!(
                    block, column_tiles: 2,
                    zero: ["tilezero tmm0", "tilezero tmm1"],
                    load: ["tileloadd tmm0, [{w} + 1*{x}]", "tileloadd tmm1, [{w} + 1*{x} + 64]"],
                    step: [
                        "tileloadd tmm6, [{w} + 1*{panel_step}]",
                        "tileloadd tmm4, [{x} + 1*{row_step}]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{w} + 1*{panel_step} + 64]",
                        "tdpbf16ps tmm1, tmm4, tmm7"
                    ],
                    store: ["tilestored [{w} + 1*{x}], tmm0", "tilestored [{w} + 1*{x} + 64], tmm1"],
                ),
                (_, 1) => two_rows_asm!(
                    block, column_tiles: 1,
                    zero: ["tilezero tmm0", "tilezero tmm2"],
                    load: ["tileloadd tmm0, [{w} + 1*{x}]"],
                    load_second: ["tileloadd tmm2, [{w} + 1*{x}]"],
                    step: [
                        "tileloadd tmm6, [{w} + 1*{panel_step}]",
                        "tileloadd tmm4, [{x} + 1*{row_step}]",
                        "tdpbf16ps tmm0, tmm4, tmm6"
                    ],
                    step_second: ["tileloadd tmm5, [{x} + 1*{row_step}]", "tdpbf16ps tmm2, tmm5, tmm6"],
                    store: ["tilestored [{w} + 1*{x}], tmm0"],
                    store_second: ["tilestored [{w} + 1*{x}], tmm2"],
                ),
                _ => two_rows_asm!(
                    block, column_tiles: 2,
                    zero: ["tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3"],
                    load: ["tileloadd tmm0, [{w} + 1*{x}]", "tileloadd tmm1, [{w} + 1*{x} + 64]"],
                    load_second: ["tileloadd tmm2, [{w} + 1*{x}]", "tileloadd tmm3, [{w} + 1*{x} + 64]"],
                    step: [
                        "tileloadd tmm6, [{w} + 1*{panel_step}]",
                        "tileloadd tmm4, [{x} + 1*{row_step}]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{w} + 1*{panel_step} + 64]",
                        "tdpbf16ps tmm1, tmm4, tmm7"
                    ],
                    step_second: [
                        "tileloadd tmm5, [{x} + 1*{row_step}]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7"
                    ],
                    store: ["tilestored [{w} + 1*{x}], tmm0", "tilestored [{w} + 1*{x} + 64], tmm1"],
                    store_second: ["tilestored [{w} + 1*{x}], tmm2", "tilestored [{w} + 1*{x} + 64], tmm3"],
                ),
            }
        }
    }
}

impl Drop for Hardware {
    /// Gives the registers back to their initial state, so that a change of threads need not save them. The next
    /// unit configures them again, so nothing depends on this having run.
    fn drop(&mut self) {
        // SAFETY: the machine has the unit, as it could be configured.
        unsafe { tile_asm!("tilerelease") };
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use cairn_reference::{Need, skip};

    use super::*;
    use crate::microkernel::amx::{BLOCK_ROWS, Model};

    /// `VEX.128.F3.0F38.W0 5C 11:rrr:bbb` of Intel's manual: the sums in `rrr`, the rows in `bbb`, the panel
    /// inverted in `vvvv`.
    fn tdpbf16ps(sums: u8, rows: u8, panel: u8) -> [u8; 5] {
        [0xc4, 0xe2, (!panel & 0xf) << 3 | 0b10, 0x5c, 0xc0 | sums << 3 | rows]
    }

    #[test]
    fn the_machine_code_multiplies_rows_by_panels_in_the_manuals_encoding() {
        // Keeps the code in this program, where nothing else may need it.
        let multiply: unsafe fn(&mut Hardware, &Block<'static>, usize, usize) = Hardware::multiply;
        black_box(multiply);
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // The operands are hidden from the compiler, which might otherwise put the bytes sought into the program.
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
            unsafe { unit.multiply(&block, row_tiles, column_tiles) };
        }
        // Which NaN it is the manual leaves open.
        sums.iter().map(|sum| if sum.is_nan() { f32::NAN.to_bits() } else { sum.to_bits() }).collect()
    }

    #[test]
    fn the_machine_computes_what_the_model_does() {
        if !crate::microkernel::amx::is_granted() {
            skip(Need::Amx, "this machine has no tile unit, or does not let this process use it");
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
