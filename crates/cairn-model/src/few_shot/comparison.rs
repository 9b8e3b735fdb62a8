//! A photo compared with learned and trained classes alike.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::neighbours::{EmbeddingTable, INDEX_FROM, InvertedFile, NeighbourSearch};
use crate::{Embedding, EmbeddingBank, FewShot, Model, Whitening};

/// Learned classes whose odds are told where they are found by an index. All others have none.
const NEAREST_LEARNED: usize = 256;

/// Learned and trained prototypes in the space in which they are compared. It is made once for a model.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    trained: Prototypes,
    learned: Prototypes,
}

/// Prototypes, and an index of them once it is asked for.
#[derive(Debug, Clone)]
struct Prototypes {
    table: EmbeddingTable,
    index: OnceLock<InvertedFile>,
}

impl Comparison {
    /// The comparison by what a bundle keeps; `None` if nothing was learned.
    pub(crate) fn new(learning: Option<&FewShot>, bank: &EmbeddingBank) -> Option<Self> {
        learning.filter(|learning| !learning.classes.is_empty())?;
        let whitening = bank.whitening.as_ref()?;
        let EmbeddingBank { prototypes, centres, learned, .. } = bank;
        let trained = if centres.is_empty() { prototypes } else { centres };
        Some(Self {
            trained: Prototypes::of(trained, whitening)?,
            learned: Prototypes::of(learned, whitening)?,
        })
    }

    /// The logits of the learned classes for a photo of these trained ones, before the temperature as these are. A class that
    /// is far from the photo among very many has none: minus infinity.
    pub(crate) fn logits(&self, model: &Model, embedding: &Embedding, trained: &[f32]) -> Vec<f32> {
        let (Some(learning), Some(whitening)) = (&model.info().learning, &model.bank().whitening) else {
            return Vec::new();
        };
        // Against all trained classes together, a photo that the network is unsure of would sooner be given to a learned one
        // than the margin says: more of them are photos of trained classes than of new ones.
        let likeliest = model.calibrated(trained).into_iter().fold(f64::NEG_INFINITY, f64::max);
        let temperature = model.info().temperature;
        let search = model.options().neighbours;
        let photo = whitening.apply(embedding);
        let nearest = self.trained.greatest(&photo, search);
        let logit = |likeness: f64| {
            let log_odds = learning.log_odds(likeness - nearest);
            ((likeliest + log_odds) * temperature) as f32
        };
        match self.learned.index(search) {
            None => self.learned.table.likenesses(&photo).into_iter().map(logit).collect(),
            Some(index) => {
                let mut logits = vec![f32::NEG_INFINITY; self.learned.table.len()];
                for found in index.nearest(&self.learned.table, &photo, NEAREST_LEARNED) {
                    logits[found.row] = logit(found.likeness);
                }
                logits
            }
        }
    }
}

impl Prototypes {
    fn of(embeddings: &[Embedding], whitening: &Whitening) -> Option<Self> {
        let evened: Vec<Embedding> =
            embeddings.par_iter().map(|embedding| whitening.apply(embedding)).collect();
        Some(Self { table: EmbeddingTable::of(&evened)?, index: OnceLock::new() })
    }

    fn index(&self, search: NeighbourSearch) -> Option<&InvertedFile> {
        (search == NeighbourSearch::Indexed && self.table.len() >= INDEX_FROM)
            .then(|| self.index.get_or_init(|| InvertedFile::of(&self.table)))
    }

    /// Similarity to the most similar prototype.
    fn greatest(&self, photo: &Embedding, search: NeighbourSearch) -> f64 {
        match self.index(search) {
            None => self.table.likenesses(photo).into_iter().fold(f64::NEG_INFINITY, f64::max),
            Some(index) => index.nearest(&self.table, photo, 1).first().map_or(0.0, |found| found.likeness),
        }
    }
}
