//! The register-blocked product at the bottom of every dense convolution.
//!
//! All three convolution products (forward, gradient to the input, gradient to the weights) are sums of the form
//!
//! ```text
//! c[i][j] (+)= sum over runs r, sum over k < depth:  rows[i][r.x + k * step] * w[r.w + k][j]
//! ```
//!
//! with up to six rows `i` (pixels, or taps x channels of a weight gradient), and a panel of a few vectors of
//! columns `j` (output channels). Rows are read one word at a time and broadcast; the panel is read a vector at
//! a time and used for all rows, so six rows and four vectors make 24 multiply-adds out of ten loads, all sums in
//! registers. A row is addressed by its base plus an offset shared by all rows. So pixels differ in their base alone,
//! wherever they are in the map.
//!
//! A word is one f32, or two neighbouring bf16 whose products are both added (`VDPBF16PS` of AVX-512, `BFDOT` of NEON).

pub(crate) mod amx;
mod body;
mod element;
mod finish;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod run;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use element::TileElement;
pub(crate) use finish::Finish;
pub(crate) use run::Run;
pub(crate) use tile::{MAX_ROWS, Microkernels, Tile};

use crate::isa::Isa;

impl Microkernels {
    /// The kernels for f32.
    ///
    /// # Panics
    /// When the machine lacks the set. So kernels that this returns may be called.
    pub(crate) fn for_f32(isa: Isa) -> &'static Self {
        isa.require();
        match isa.vectors() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 | Isa::Avx512 => &x86::AVX512,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &x86::AVX2,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonBf16 | Isa::Neon => &neon::NEON,
            _ => &portable::PORTABLE,
        }
    }

    /// The kernels for bf16.
    ///
    /// # Panics
    /// When the machine lacks the set, or the set has no bf16, see [`Isa::has_bf16`].
    pub(crate) fn for_bf16(isa: Isa) -> &'static Self {
        isa.require();
        match isa.vectors() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => &x86::AVX512_BF16,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonBf16 => &neon::NEON_BF16,
            _ => panic!("bf16 maps are not offered on {}; ask Isa::has_bf16 first", isa.name()),
        }
    }
}

/// Some neighbouring output channels that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    /// The first output channel.
    pub(crate) first: usize,
    /// Columns: whole vectors. Those past `outputs` hold no particular weights, and their sums are not stored.
    pub(crate) width: usize,
    /// Output channels that are really there.
    pub(crate) outputs: usize,
}

/// Splits `outputs` columns into panels for maps of a type: what the tile unit computes at a time, or the vector tiles.
pub(crate) fn panels<T: TileElement>(isa: Isa, outputs: usize) -> Vec<Panel> {
    match T::tile_unit(isa) {
        Some(_) => even_panels(outputs, amx::ROW_WORDS, amx::BLOCK_TILES),
        None => {
            let kernels = T::microkernels(isa);
            even_panels(outputs, kernels.lanes, kernels.max_vectors)
        }
    }
}

/// Splits columns into panels as evenly as whole vectors allow: an odd rest would leave a panel of one vector, whose few
/// sums cannot keep the multipliers busy.
fn even_panels(outputs: usize, lanes: usize, max_vectors: usize) -> Vec<Panel> {
    let vectors = outputs.div_ceil(lanes);
    let count = vectors.div_ceil(max_vectors);
    let vector_at = |panel: usize| panel * vectors / count;
    (0..count)
        .map(|panel| {
            let first = vector_at(panel) * lanes;
            let width = (vector_at(panel + 1) - vector_at(panel)) * lanes;
            Panel { first, width, outputs: width.min(outputs - first) }
        })
        .collect()
}

/// Splits `count` rows into tiles of at most [`MAX_ROWS`], as evenly as possible, as (first, rows).
pub(crate) fn row_tiles(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = count.div_ceil(MAX_ROWS);
    (0..tiles).map(move |tile| {
        let first = tile * count / tiles;
        (first, (tile + 1) * count / tiles - first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_every_output_once_and_differ_by_one_vector_at_most() {
        for (lanes, max_vectors) in [(16, 4), (8, 2), (16, 2), (4, 4)] {
            for outputs in 1..300 {
                let panels = even_panels(outputs, lanes, max_vectors);
                let mut next = 0;
                for panel in &panels {
                    assert_eq!(panel.first, next);
                    assert!(panel.outputs <= panel.width && panel.width - panel.outputs < lanes);
                    next += panel.outputs;
                }
                assert_eq!(next, outputs);
                let widths = panels.iter().map(|panel| panel.width / lanes);
                let (least, most) = (widths.clone().min().unwrap(), widths.max().unwrap());
                assert!(most <= max_vectors && most - least <= 1);
            }
        }
    }

    #[test]
    fn row_tiles_cover_every_row_once_and_differ_by_one_row_at_most() {
        for count in 1..100 {
            let tiles: Vec<_> = row_tiles(count).collect();
            assert_eq!(tiles.iter().map(|tile| tile.1).sum::<usize>(), count);
            assert!(tiles.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
            let least = tiles.iter().map(|tile| tile.1).min().unwrap();
            assert!(tiles.iter().all(|tile| tile.1 <= MAX_ROWS && tile.1 - least <= 1));
        }
        assert_eq!(row_tiles(0).count(), 0);
    }
}
