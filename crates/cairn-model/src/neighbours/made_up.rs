//! Embeddings for tests: photos of landmarks, as far as their directions tell.

use super::{EmbeddingTable, InvertedFile};
use crate::Embedding;

/// `count` embeddings of `features` numbers around `clusters` directions. The directions are the same whatever `seed` is,
/// which draws the embeddings.
pub(crate) fn clustered(count: usize, clusters: usize, features: usize, seed: u64) -> EmbeddingTable {
    let mut table = EmbeddingTable::new(features);
    for photo in 0..count as u64 {
        let cluster = (draw(seed, photo, 0) % clusters as u64) as usize;
        // Photos of one landmark have a cosine of about 0.8: the noise is half as long as the direction.
        let values: Vec<f32> = (0..features as u64)
            .map(|feature| normal(17, cluster as u64, feature) + 0.5 * normal(seed, photo + 1, feature + 1))
            .collect();
        table.push(&Embedding::of(&values));
    }
    table
}

/// The share of the ten nearest of each of these that the index finds.
pub(crate) fn recall_at_10(table: &EmbeddingTable, index: &InvertedFile, sought: &EmbeddingTable) -> f64 {
    let found = (0..sought.len()).map(|row| {
        let sought = Embedding::stored(sought.row(row));
        let exact: Vec<usize> = table.nearest(&sought, 10).iter().map(|neighbour| neighbour.row).collect();
        index.nearest(table, &sought, 10).iter().filter(|neighbour| exact.contains(&neighbour.row)).count()
    });
    found.sum::<usize>() as f64 / (10 * sought.len()) as f64
}

/// About normal, of variance 1: the sum of four uniform numbers.
fn normal(seed: u64, row: u64, column: u64) -> f32 {
    let bits = draw(seed, row, column);
    let sum: u32 = (0..4).map(|part| (bits >> (16 * part)) as u32 & 0xffff).sum();
    (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
}

/// 64 bits by chance: the finaliser of SplitMix64.
fn draw(seed: u64, row: u64, column: u64) -> u64 {
    let mut bits = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ row)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .wrapping_add(column.wrapping_mul(0x94d0_49bb_1331_11eb));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
