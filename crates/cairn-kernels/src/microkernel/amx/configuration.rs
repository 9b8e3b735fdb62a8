//! The shapes of the tile registers, as `LDTILECFG` reads them.

use super::block::{ROW_WORDS, TILE_ROWS};
use crate::aligned::Word;

/// What varies of the tiles' shapes; the rest is always whole tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TileShape {
    /// Rows of a tile of rows, and of its sums: 1 to 16.
    pub(crate) rows: usize,
    /// Words of depth that one product sums over: 1 to 16.
    pub(crate) depth: usize,
}

/// The 64 bytes that `LDTILECFG` loads (Intel's manual, volume 1, chapter 18 "Programming with Intel AMX", table on
/// the memory format of the tile configuration).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Configuration {
    /// 1: eight registers of 1 KiB.
    palette: u8,
    /// Where an interrupted instruction goes on.
    start_row: u8,
    reserved: [u8; 14],
    /// Bytes of a row of each tile. Palette 1 has eight tiles.
    row_bytes: [u16; 16],
    /// Rows of each tile.
    rows: [u8; 16],
}

impl Configuration {
    /// Tiles 0 to 3 for sums, 4 and 5 for rows, 6 and 7 for a panel.
    pub(super) fn new(shape: TileShape) -> Self {
        let TileShape { rows, depth } = shape;
        assert!((1..=TILE_ROWS).contains(&rows) && (1..=ROW_WORDS).contains(&depth), "{shape:?} is no tile");
        let mut configuration =
            Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        let mut shape_tiles = |tiles: std::ops::Range<usize>, rows: usize, row_words: usize| {
            for tile in tiles {
                configuration.rows[tile] = rows as u8;
                configuration.row_bytes[tile] = (row_words * size_of::<Word>()) as u16;
            }
        };
        shape_tiles(0..4, rows, ROW_WORDS);
        shape_tiles(4..6, rows, depth);
        shape_tiles(6..8, depth, ROW_WORDS);
        configuration
    }

    /// Rows of a tile.
    pub(super) fn tile_rows(&self, tile: usize) -> usize {
        usize::from(self.rows[tile])
    }

    /// Words of a tile's row.
    pub(super) fn row_words(&self, tile: usize) -> usize {
        usize::from(self.row_bytes[tile]) / size_of::<Word>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(shape: TileShape) -> [u8; 64] {
        // SAFETY: 64 bytes without padding, as the test below makes sure of.
        unsafe { std::mem::transmute(Configuration::new(shape)) }
    }

    #[test]
    fn the_configuration_is_laid_out_as_the_manual_has_it() {
        let bytes = bytes(TileShape { rows: 9, depth: 14 });
        assert_eq!(bytes[..16], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "palette and start row");
        #[rustfmt::skip]
        let row_bytes = [64, 0, 64, 0, 64, 0, 64, 0, 56, 0, 56, 0, 64, 0, 64, 0];
        assert_eq!(bytes[16..32], row_bytes, "bytes of a row, little-endian");
        assert_eq!(bytes[32..48], [0; 16], "tiles that palette 1 does not have");
        assert_eq!(bytes[48..56], [9, 9, 9, 9, 9, 9, 14, 14], "rows");
        assert_eq!(bytes[56..], [0; 8], "tiles that palette 1 does not have");
    }

    #[test]
    #[should_panic(expected = "is no tile")]
    fn a_tile_of_seventeen_rows_is_refused() {
        Configuration::new(TileShape { rows: 17, depth: 16 });
    }
}
