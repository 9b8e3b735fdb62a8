//! A tile's operands, and the functions that compute it.

/// The most rows of a tile.
pub(in crate::int8) const MAX_ROWS: usize = 12;

/// One tile: some pixels, and a panel of output channels.
///
/// A pixel meets `runs` stretches of `depth` words of four bytes, its kernel rows.
#[derive(Debug)]
pub(in crate::int8) struct Tile {
    /// Each pixel's first byte; those past the tile's rows are not read.
    pub(in crate::int8) rows: [*const u8; MAX_ROWS],
    /// Stretches.
    pub(in crate::int8) runs: usize,
    /// Bytes from one stretch of a pixel to its next.
    pub(in crate::int8) run_step: usize,
    /// Words of a stretch.
    pub(in crate::int8) depth: usize,
    /// The panel: for each word, [`Products::weight_bytes`] of each column.
    pub(in crate::int8) weights: *const u8,
    /// Factors of the columns' sums, in the columns' order as the panel is.
    pub(in crate::int8) scales: *const f32,
    /// Terms of the columns.
    pub(in crate::int8) offsets: *const f32,
    /// The residual's levels of the first pixel, or null.
    pub(in crate::int8) residual: *const u8,
    /// What they are multiplied by.
    pub(in crate::int8) residual_scale: f32,
    /// The lowest and highest level.
    pub(in crate::int8) bounds: [f32; 2],
    /// Where the levels of the first pixel go.
    pub(in crate::int8) output: *mut u8,
    /// Bytes from a pixel to the next, of residual and output.
    pub(in crate::int8) step: usize,
    /// Columns that are output channels: all but those that fill whole vectors.
    pub(in crate::int8) columns: usize,
}

/// Computes a tile.
///
/// # Safety
/// The machine must have the instruction set (which [`super::products`] vouches for), the function be that of the tile's size,
/// residual and columns ([`Products::get`]), and every address be valid: for reading,
/// `rows[i] + run * run_step` and the `4 * depth` bytes from there, the panel, scales and offsets of all its columns, the
/// residual's `columns` bytes of each pixel if there is one; for writing, the output's.
pub(in crate::int8) type Product = unsafe fn(&Tile);

/// The products of one instruction set, for every number of rows and vectors.
#[derive(Debug)]
pub(in crate::int8) struct Products {
    /// Columns of a vector.
    pub(in crate::int8) lanes: usize,
    /// Bytes of the weights that one word meets in one column: four, or eight where they were widened.
    pub(in crate::int8) weight_bytes: usize,
    /// The channel of a column, both counted from the panel's first: of how many vectors, in which vector, in which lane.
    pub(in crate::int8) channel: fn(vectors: usize, vector: usize, lane: usize) -> usize,
    /// By vectors, then by rows, both counted from one; then whether there is a residual, and whether columns are missing.
    pub(super) table: &'static [&'static [[[Product; 2]; 2]]],
}

impl Products {
    /// The most vectors of a panel.
    pub(in crate::int8) fn max_vectors(&self) -> usize {
        self.table.len()
    }

    /// The most rows of a tile of so many columns.
    pub(in crate::int8) fn max_rows(&self, columns: usize) -> usize {
        self.table[columns / self.lanes - 1].len()
    }

    /// The function for a tile of `rows` rows and `width` columns, whole vectors.
    pub(in crate::int8) fn get(&self, rows: usize, width: usize, tile: &Tile) -> Product {
        let [residual, edge] = [!tile.residual.is_null(), tile.columns < width].map(usize::from);
        self.table[width / self.lanes - 1][rows - 1][residual][edge]
    }
}
