//! What the cores can do at most, to hold the kernels against.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::aligned::AlignedWords;
use crate::element::Element;
use crate::isa::Isa;
use crate::tile::{MAX_ROWS, Run, Tile};

/// Multiply-adds a second of all threads of the current pool together: the best of some short runs of the tile kernel
/// on operands that stay in the first-level cache, where nothing but the multipliers limits it.
pub fn multiply_adds_per_second<T: Element>(isa: Isa) -> f64 {
    const DEPTH: usize = 96;
    const CALLS: usize = 2000;
    const REPEATS: usize = 40;
    let kernels = T::tile_kernels(isa);
    let threads = rayon::current_num_threads();
    let columns = kernels.panels(64)[0].width;
    let time = || {
        let start = Instant::now();
        (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
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
        });
        start.elapsed()
    };
    let best: Duration = (0..REPEATS).map(|_| time()).min().unwrap_or(Duration::MAX);
    let multiply_adds = threads * CALLS * MAX_ROWS * columns * DEPTH * T::PER_WORD;
    multiply_adds as f64 / best.as_secs_f64()
}
