//! What the cores can do at most, to hold the kernels against.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::aligned::AlignedWords;
use crate::element::Element;
use crate::isa::Isa;
use crate::microkernel::amx::{
    BLOCK_ROWS, BLOCK_TILES, Block, ROW_WORDS, TILE_ROWS, TileShape, TileUnit, with_unit,
};
use crate::microkernel::{MAX_ROWS, Run, Tile};

const CALLS: usize = 2000;
const REPEATS: usize = 40;

/// Multiply-adds a second of all threads of the current pool together: the best of some short runs of the tile kernel
/// on operands that stay in the first-level cache, where nothing but the multipliers limits it.
pub fn multiply_adds_per_second<T: Element>(isa: Isa) -> f64 {
    let threads = rayon::current_num_threads();
    let time = || {
        let start = Instant::now();
        let counts = (0..threads).into_par_iter().with_max_len(1).map(|_| match T::tile_unit(isa) {
            Some(unit) => with_unit!(unit, U => run_blocks::<U>()),
            None => run_tiles::<T>(isa),
        });
        let multiply_adds: usize = counts.sum();
        (multiply_adds, start.elapsed())
    };
    let runs = (0..REPEATS).map(|_| time());
    let (multiply_adds, best) = runs.min_by_key(|(_, elapsed)| *elapsed).unwrap_or((0, Duration::MAX));
    multiply_adds as f64 / best.as_secs_f64()
}

/// Runs the vector tile; returns the multiply-adds.
fn run_tiles<T: Element>(isa: Isa) -> usize {
    const DEPTH: usize = 96;
    let kernels = T::microkernels(isa);
    let columns = kernels.widest_panel();
    let words = AlignedWords::zeroed(DEPTH * columns);
    let mut sums = AlignedWords::zeroed(MAX_ROWS * columns);
    let tile = Tile {
        rows: [words.as_ptr(); MAX_ROWS],
        runs: &[Run { x: 0, w: 0 }],
        depth: DEPTH,
        step: 1,
        w: words.as_ptr(),
        c: sums.as_mut_ptr().cast(),
        accumulate: false,
    };
    for _ in 0..CALLS {
        // SAFETY: the set is there, since its kernels are; the operands have just been given their room.
        unsafe { kernels.get(MAX_ROWS, columns)(&tile) };
    }
    CALLS * MAX_ROWS * columns * DEPTH * T::PER_WORD
}

/// Runs blocks of the tile unit; returns the multiply-adds.
fn run_blocks<U: TileUnit>() -> usize {
    /// Whole tiles of depth: rows and panel together take 8 KiB, read over and over.
    const STEPS: usize = 36;
    let words = AlignedWords::zeroed(BLOCK_ROWS * ROW_WORDS);
    let mut sums = AlignedWords::zeroed(BLOCK_ROWS * BLOCK_TILES * ROW_WORDS);
    let columns = BLOCK_TILES * ROW_WORDS;
    let first_sums = sums.as_mut_ptr().cast::<f32>();
    // SAFETY: the machine has the unit, since `Isa::tile_unit` named it.
    let mut unit = unsafe { U::configured(TileShape { rows: TILE_ROWS, depth: ROW_WORDS }) };
    let block = Block {
        rows: [words.as_ptr(), words.as_ptr().wrapping_add(TILE_ROWS * ROW_WORDS)],
        row_step: ROW_WORDS,
        runs: &[Run { x: 0, w: 0 }; STEPS],
        panel: words.as_ptr(),
        sums: [first_sums, first_sums.wrapping_add(TILE_ROWS * columns)],
        sum_step: columns,
        accumulate: false,
    };
    for _ in 0..CALLS {
        // SAFETY: the operands have just been given their room: the panel is as large as the rows.
        unsafe { unit.multiply(&block, BLOCK_TILES, BLOCK_TILES) };
    }
    CALLS * BLOCK_ROWS * columns * STEPS * ROW_WORDS * 2
}
