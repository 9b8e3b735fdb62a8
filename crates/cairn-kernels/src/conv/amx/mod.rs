//! Dense convolutions of bf16 maps on AMX's tile unit.
//!
//! The unit loads rows that are evenly apart. So the patches of maps are laid out ([`patch`]) with the pixels of many
//! lines, and of several photos, one after the other at one distance, and with few pixels between them that are computed for
//! nothing. `docs/decisions/005-amx.md` has the reasons and the count of what they save.

#[cfg(test)]
mod counts;
pub(super) mod gather;
pub(super) mod patch;
pub(super) mod weight_gradient;

use crate::microkernel::amx::ROW_WORDS;

/// Words of a source pixel in the patches of [`gather`]: as few as will do, but such that a pixel is cut into whole
/// tiles without loss, or nearly so. Those beyond the map's channels are zero.
pub(super) fn pixel_words(words: usize) -> usize {
    /// A product over fewer words than this wastes more than a quarter of the unit.
    const LEAST_DEPTH: usize = 12;
    let fits = words < ROW_WORDS || run_depth(words) >= LEAST_DEPTH;
    if fits { words } else { words.next_multiple_of(ROW_WORDS) }
}

/// The most words, up to a tile's row, into which a run can be cut without a rest.
fn run_depth(words: usize) -> usize {
    (1..=ROW_WORDS).rev().find(|depth| words.is_multiple_of(*depth)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_padded_only_where_its_words_make_poor_tiles() {
        // 16 and 24 channels, 32, 80, 144 (six blocks of 12), 150 (75 words are five of 15), 100, 1000.
        for (words, expected) in
            [(8, 8), (12, 12), (16, 16), (40, 48), (72, 72), (75, 75), (50, 64), (500, 512)]
        {
            assert_eq!(pixel_words(words), expected, "{words} words");
        }
    }

    #[test]
    fn a_run_is_cut_into_the_deepest_equal_parts() {
        for (words, expected) in [(0, 16), (14, 14), (24, 12), (48, 16), (27, 9), (17, 1)] {
            assert_eq!(run_depth(words), expected, "{words} words");
        }
    }
}
