//! A tile's operands, and the functions that compute it.

use super::finish::Finish;
use super::run::Run;
use crate::aligned::Word;

/// The most rows of one tile.
pub(crate) const MAX_ROWS: usize = 6;

/// The most vectors of columns of one tile, for any instruction set.
pub(super) const MAX_VECTORS: usize = 4;

/// One tile's operands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile<'a> {
    /// Each row's base; those past the tile's rows are not read. A row of bf16 may begin between two words.
    ///
    /// Borrowed: a copy of bases that have just been written waits until all that was written before them is in the cache,
    /// the pixels of the last tile too.
    pub(crate) rows: &'a [*const Word; MAX_ROWS],
    /// The stretches to sum over.
    pub(crate) runs: &'a [Run],
    /// Words per run.
    pub(crate) depth: usize,
    /// From one word of a row to its next: one where they are together.
    pub(crate) step: usize,
    /// The panel: for each word of depth, one word per column.
    pub(crate) w: *const Word,
    /// Where the sums go: row after row, as many f32 as the panel has columns.
    pub(crate) c: *mut f32,
    /// Whether to add to the sums that are there already.
    pub(crate) accumulate: bool,
}

/// Computes one tile.
///
/// # Safety
/// The machine must have the instruction set (which [`Microkernels`] vouch for), and every address of the tile be valid:
/// `rows[i] + run.x + k * step` for reading a word, `w + run.w + k * columns` for reading a panel row, `c` for writing
/// (and reading, when accumulating) `rows x columns` f32.
pub(crate) type Microkernel = unsafe fn(&Tile<'_>);

/// Computes one tile, and finishes its sums and stores them in a map instead of at `c`.
///
/// # Safety
/// As [`Microkernel`]; and there must be a pixel for each row, a bias for each column, and as many channels of the pixel in the
/// map, which nothing else may use meanwhile, and in the residual, if the kernel adds one.
pub(crate) type FinishingMicrokernel = unsafe fn(&Tile<'_>, &Finish);

/// Finishing kernels of every size.
pub(crate) type FinishingMicrokernels = [[FinishingMicrokernel; MAX_VECTORS]; MAX_ROWS];

/// The tile kernels of one instruction set and element type, for every number of rows and vectors.
#[derive(Debug)]
pub struct Microkernels {
    pub(super) lanes: usize,
    pub(super) max_vectors: usize,
    pub(super) table: [[Microkernel; MAX_VECTORS]; MAX_ROWS],
    /// Those that finish their sums, where there are such: without a residual, and with one.
    pub(super) finishing: Option<&'static [FinishingMicrokernels; 2]>,
}

impl Microkernels {
    /// The kernel for `rows` rows and a panel of `columns` columns.
    pub(crate) fn get(&self, rows: usize, columns: usize) -> Microkernel {
        self.table[rows - 1][columns / self.lanes - 1]
    }

    /// The same that finishes its sums, where there is one.
    pub(crate) fn finishing(
        &self,
        rows: usize,
        columns: usize,
        with_residual: bool,
    ) -> Option<FinishingMicrokernel> {
        self.finishing.map(|tables| tables[usize::from(with_residual)][rows - 1][columns / self.lanes - 1])
    }
}
