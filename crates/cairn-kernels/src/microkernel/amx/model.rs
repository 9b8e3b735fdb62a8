//! The tile unit in plain Rust, as Intel's manual defines its instructions (volume 2, `TDPBF16PS` and the others).

use super::block::{Block, ROW_WORDS, TILE_ROWS};
use super::configuration::{Configuration, TileShape};
use super::registers::{TileRegisters, multiply_on};
use super::unit::{OnlyUnit, TileUnit};
use crate::aligned::Word;

type Tile = [[Word; ROW_WORDS]; TILE_ROWS];

/// Eight tile registers in memory.
///
/// The manual sums with fused multiply-adds. Here they are done in f64, where the product is exact and the sum is
/// rounded once more than it should be: that may tell in the last bit, once in some hundred million.
pub(crate) struct Model {
    configuration: Configuration,
    tiles: [Tile; 8],
    /// As a machine has it.
    _only: OnlyUnit,
}

impl TileUnit for Model {
    unsafe fn configured(shape: TileShape) -> Self {
        let (configuration, tiles) = (Configuration::new(shape), [[[0; ROW_WORDS]; TILE_ROWS]; 8]);
        Self { configuration, tiles, _only: OnlyUnit::of_this_thread() }
    }

    unsafe fn multiply(&mut self, block: &Block<'_>, row_tiles: usize, column_tiles: usize) {
        // SAFETY: as the caller promises.
        unsafe { multiply_on(self, block, row_tiles, column_tiles) };
    }
}

impl TileRegisters for Model {
    fn zero<const TILE: usize>(&mut self) {
        self.tiles[TILE] = [[0; ROW_WORDS]; TILE_ROWS];
    }

    unsafe fn load<const TILE: usize>(&mut self, from: *const Word, step: usize) {
        self.zero::<TILE>();
        let words = self.configuration.row_words(TILE);
        for row in 0..self.configuration.tile_rows(TILE) {
            let to = self.tiles[TILE][row].as_mut_ptr();
            // SAFETY: the caller vouches for the source, at any alignment; no configured row is longer than a tile's.
            unsafe { from.add(row * step).cast::<u8>().copy_to(to.cast(), words * size_of::<Word>()) };
        }
    }

    unsafe fn store<const TILE: usize>(&self, to: *mut f32, step: usize) {
        let words = self.configuration.row_words(TILE);
        for row in 0..self.configuration.tile_rows(TILE) {
            let from = self.tiles[TILE][row].as_ptr();
            // SAFETY: the caller vouches for the destination; no configured row is longer than a tile's.
            unsafe { from.cast::<f32>().copy_to(to.add(row * step), words) };
        }
    }

    /// Even and odd elements are summed on their own from zero, in the order of the depth; their sum is added to
    /// the tile. Denormal numbers count as zero, and sums that would be denormal become zero.
    fn multiply_add<const SUMS: usize, const ROWS: usize, const PANEL: usize>(&mut self) {
        let depth = self.configuration.row_words(ROWS);
        assert_eq!(depth, self.configuration.tile_rows(PANEL), "tiles of different depth: #UD");
        for row in 0..self.configuration.tile_rows(SUMS) {
            let (mut even, mut odd) = ([0.0; ROW_WORDS], [0.0; ROW_WORDS]);
            for k in 0..depth {
                let [x_even, x_odd] = pair(self.tiles[ROWS][row][k]);
                for (column, word) in self.tiles[PANEL][k].iter().enumerate() {
                    let [w_even, w_odd] = pair(*word);
                    even[column] = multiply_add(even[column], x_even, w_even);
                    odd[column] = multiply_add(odd[column], x_odd, w_odd);
                }
            }
            for (column, sum) in self.tiles[SUMS][row].iter_mut().enumerate() {
                let before = normal(f32::from_bits(*sum));
                *sum = normal(before + normal(even[column] + odd[column])).to_bits();
            }
        }
    }
}

#[inline(always)]
fn multiply_add(sum: f32, x: f32, w: f32) -> f32 {
    normal((f64::from(sum) + f64::from(x) * f64::from(w)) as f32)
}

/// The two bf16 of a word, as f32.
#[inline(always)]
fn pair(word: Word) -> [f32; 2] {
    [normal(f32::from_bits(word << 16)), normal(f32::from_bits(word & 0xffff_0000))]
}

/// The value, or zero of its sign for a denormal one.
#[inline(always)]
fn normal(value: f32) -> f32 {
    let sign = f32::from_bits(value.to_bits() & 0x8000_0000);
    if value.abs() < f32::MIN_POSITIVE { sign } else { value }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn word(even: f32, odd: f32) -> Word {
        u32::from(bf16::from_f32(even).to_bits()) | u32::from(bf16::from_f32(odd).to_bits()) << 16
    }

    /// One product of tiles that hold the same word everywhere, added to a tile of `sum`; every sum of the result.
    fn product(shape: TileShape, row: Word, panel: Word, sum: f32) -> Vec<f32> {
        // SAFETY: the model needs no hardware, and every buffer is a whole tile.
        unsafe {
            let mut unit = Model::configured(shape);
            unit.load::<0>([sum.to_bits(); 256].as_ptr(), 16);
            unit.load::<4>([row; 256].as_ptr(), 16);
            unit.load::<6>([panel; 256].as_ptr(), 16);
            unit.multiply_add::<0, 4, 6>();
            let mut sums = vec![f32::NAN; 256];
            unit.store::<0>(sums.as_mut_ptr(), 16);
            sums
        }
    }

    #[test]
    fn a_product_sums_both_halves_of_every_word_over_the_configured_depth() {
        let sums = product(TileShape { rows: 16, depth: 5 }, word(2.0, 3.0), word(10.0, 100.0), 1.0);
        assert_eq!(sums, [1.0 + 5.0 * (20.0 + 300.0); 256]);
    }

    #[test]
    #[should_panic(expected = "this thread has a tile unit already")]
    fn a_thread_has_one_unit_at_a_time() {
        let shape = TileShape { rows: 16, depth: 16 };
        // SAFETY: the model needs no hardware.
        drop(unsafe { Model::configured(shape) });
        // SAFETY: as above.
        let _one = unsafe { Model::configured(shape) };
        // SAFETY: as above.
        let _two = unsafe { Model::configured(TileShape { rows: 3, depth: 16 }) };
    }

    #[test]
    fn rows_that_are_not_configured_are_not_stored() {
        let sums = product(TileShape { rows: 3, depth: 16 }, word(1.0, 0.0), word(1.0, 0.0), 0.0);
        assert_eq!(sums[..48], [16.0; 48]);
        assert!(sums[48..].iter().all(|sum| sum.is_nan()));
    }

    #[test]
    fn denormal_numbers_count_as_zero_and_do_not_come_out() {
        let shape = TileShape { rows: 16, depth: 1 };
        let denormal = f32::MIN_POSITIVE / 2.0;
        assert_eq!(product(shape, word(denormal, 0.0), word(2.0, 0.0), 0.0), [0.0; 256], "operand");
        assert_eq!(product(shape, word(f32::MIN_POSITIVE, 0.0), word(0.5, 0.0), 0.0), [0.0; 256], "result");
        assert_eq!(product(shape, 0, 0, denormal), [0.0; 256], "sum");
    }

    #[test]
    fn a_product_beyond_the_range_may_come_back_into_it() {
        let shape = TileShape { rows: 16, depth: 2 };
        let (large, twice) = (1.5 * 2.0_f32.powi(127), 2.0);
        // SAFETY: the model needs no hardware, and every buffer is a whole tile.
        let sums = unsafe {
            let mut unit = Model::configured(shape);
            unit.zero::<0>();
            unit.load::<4>([word(large, 0.0); 256].as_ptr(), 16);
            let mut panel = [word(-1.0, 0.0); 32];
            panel[16..].fill(word(twice, 0.0));
            unit.load::<6>(panel.as_ptr(), 16);
            unit.multiply_add::<0, 4, 6>();
            let mut sums = vec![f32::NAN; 256];
            unit.store::<0>(sums.as_mut_ptr(), 16);
            sums
        };
        assert_eq!(sums, [large; 256]);
    }

    #[test]
    fn halves_are_summed_apart_before_they_meet() {
        // In one sum from left to right, the ones would be lost beside 2^24 in every step but not in the end.
        let large = 16_777_216.0;
        let sums = product(TileShape { rows: 16, depth: 2 }, word(1.0, 1.0), word(large, 1.0), 0.0);
        assert_eq!(sums, [2.0 * large + 2.0; 256]);
    }
}
