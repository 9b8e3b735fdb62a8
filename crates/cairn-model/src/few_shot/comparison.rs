//! A photo compared with learned and trained classes alike.

use crate::{Embedding, EmbeddingBank, FewShot, Model, Whitening};

/// LearnOutcome and trained prototypes in the space in which they are compared.
pub(crate) struct Comparison<'a> {
    learning: &'a FewShot,
    whitening: &'a Whitening,
    trained: Vec<Embedding>,
    learned: Vec<Embedding>,
}

impl Comparison<'_> {
    /// For each learned class, the logarithm of the odds that the photo shows it, not the trained class that is likeliest.
    fn log_odds(&self, embedding: &Embedding) -> impl Iterator<Item = f64> {
        let photo = self.whitening.apply(embedding);
        let nearest = nearest(&photo, &self.trained);
        self.learned.iter().map(move |prototype| self.learning.log_odds(photo.cosine(prototype) - nearest))
    }
}

/// Likeness to the likest of the prototypes.
fn nearest(photo: &Embedding, prototypes: &[Embedding]) -> f64 {
    prototypes.iter().map(|prototype| photo.cosine(prototype)).fold(f64::NEG_INFINITY, f64::max)
}

impl Model {
    /// What learned classes are told by; `None` where there are none.
    pub(crate) fn comparison(&self) -> Option<Comparison<'_>> {
        let learning = self.info().learning.as_ref().filter(|learning| !learning.classes.is_empty())?;
        let whitening = self.bank().whitening.as_ref()?;
        let evened = |embeddings: &[Embedding]| embeddings.iter().map(|e| whitening.apply(e)).collect();
        let EmbeddingBank { prototypes, centres, learned, .. } = self.bank();
        let trained = if centres.is_empty() { prototypes } else { centres };
        Some(Comparison { learning, whitening, trained: evened(trained), learned: evened(learned) })
    }

    /// The logits of the learned classes for a photo of these trained ones, before the temperature as these are.
    pub(crate) fn learned_logits(
        &self,
        comparison: &Comparison,
        embedding: &Embedding,
        trained: &[f32],
    ) -> Vec<f32> {
        // Against all trained classes together, a photo that the network is unsure of would sooner be given to a learned one
        // than the margin says: more of them are photos of trained classes than of new ones.
        let likeliest = self.calibrated(trained).into_iter().fold(f64::NEG_INFINITY, f64::max);
        let log_odds = comparison.log_odds(embedding);
        log_odds.map(|log_odds| ((likeliest + log_odds) * self.info().temperature) as f32).collect()
    }
}
