//! Many embeddings, one after the other.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::cosine::each_cosine;
use crate::Embedding;

/// Rows that a thread takes at a time.
const STRETCH: usize = 1024;

/// Embeddings of one network: `[rows, features]` of f32 in one piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbeddingTable {
    features: usize,
    values: Vec<f32>,
}

/// A row of an [`EmbeddingTable`], and how like the sought embedding it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Which row.
    pub row: usize,
    /// Cosine of the angle between the embeddings, in `[-1, 1]`.
    pub likeness: f64,
}

impl Neighbour {
    /// The most similar first; equals in the order of their rows.
    fn order(a: &Self, b: &Self) -> Ordering {
        b.likeness.total_cmp(&a.likeness).then(a.row.cmp(&b.row))
    }

    /// The first `k` in order.
    pub(super) fn first(mut all: Vec<Self>, k: usize) -> Vec<Self> {
        if k < all.len() {
            all.select_nth_unstable_by(k, Self::order);
            all.truncate(k);
        }
        all.sort_unstable_by(Self::order);
        all
    }
}

impl EmbeddingTable {
    /// No embeddings yet, of so many features each.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(features: usize) -> Self {
        assert!(features > 0, "an embedding has at least one feature");
        Self { features, values: Vec::new() }
    }

    /// These embeddings; `None` of none.
    pub fn of<'a>(embeddings: impl IntoIterator<Item = &'a Embedding>) -> Option<Self> {
        let mut embeddings = embeddings.into_iter();
        let first = embeddings.next()?;
        let mut table = Self { features: first.values().len(), values: first.values().to_vec() };
        embeddings.for_each(|embedding| table.push(embedding));
        Some(table)
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it is not of the table's features.
    pub fn push(&mut self, embedding: &Embedding) {
        assert_eq!(embedding.values().len(), self.features, "embeddings of one network are of one length");
        self.values.extend_from_slice(embedding.values());
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.features.max(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers in a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// All rows, `[rows, features]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.features..][..self.features]
    }

    /// The `k` rows that are most like `sought`, the most similar first, equals in their order: all rows are compared.
    ///
    /// # Panics
    /// If it is not of the table's features.
    pub fn nearest(&self, sought: &Embedding, k: usize) -> Vec<Neighbour> {
        let likenesses = self.likenesses(sought);
        let all = likenesses.into_iter().enumerate().map(|(row, likeness)| Neighbour { row, likeness });
        Neighbour::first(all.collect(), k)
    }

    /// How like `sought` each row is, in their order.
    ///
    /// # Panics
    /// If it is not of the table's features.
    pub fn likenesses(&self, sought: &Embedding) -> Vec<f64> {
        let sought = sought.values();
        assert_eq!(sought.len(), self.features, "embeddings of one network are of one length");
        let mut likenesses = vec![0.0; self.len()];
        let stretches = self.values.par_chunks(STRETCH * self.features);
        stretches.zip(likenesses.par_chunks_mut(STRETCH)).for_each(|(rows, likenesses)| {
            each_cosine(sought, rows, |row, likeness| likenesses[row] = likeness);
        });
        likenesses
    }

    /// A hash of all values: of equal tables it is equal.
    pub fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("cairn-model 2026 embedding table");
        hasher.update(&(self.features as u64).to_le_bytes());
        let mut bytes = Vec::with_capacity(4 * STRETCH * self.features);
        for rows in self.values.chunks(STRETCH * self.features) {
            bytes.clear();
            bytes.extend(rows.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&bytes);
        }
        hasher.finalize()
    }
}
