//! A photo compared with learned and trained classes alike.

use crate::{Embedding, EmbeddingBank, FewShot, Model, Whitening};

/// Learned and trained prototypes in the space in which they are compared.
pub(crate) struct Comparison<'a> {
    model: &'a Model,
    learning: &'a FewShot,
    whitening: &'a Whitening,
    trained: Vec<Embedding>,
    learned: Vec<Embedding>,
}

impl<'a> Comparison<'a> {
    /// The comparison of a model with learned classes; `None` if it has none.
    pub(crate) fn of(model: &'a Model) -> Option<Self> {
        let learning = model.info().learning.as_ref().filter(|learning| !learning.classes.is_empty())?;
        let whitening = model.bank().whitening.as_ref()?;
        let evened = |embeddings: &[Embedding]| embeddings.iter().map(|e| whitening.apply(e)).collect();
        let EmbeddingBank { prototypes, centres, learned, .. } = model.bank();
        let trained = if centres.is_empty() { prototypes } else { centres };
        Some(Self { model, learning, whitening, trained: evened(trained), learned: evened(learned) })
    }

    /// The logits of the learned classes for a photo of these trained ones, before the temperature as these are.
    pub(crate) fn logits(&self, embedding: &Embedding, trained: &[f32]) -> Vec<f32> {
        // Against all trained classes together, a photo that the network is unsure of would sooner be given to a learned one
        // than the margin says: more of them are photos of trained classes than of new ones.
        let likeliest = self.model.calibrated(trained).into_iter().fold(f64::NEG_INFINITY, f64::max);
        let temperature = self.model.info().temperature;
        self.log_odds(embedding).map(|log_odds| ((likeliest + log_odds) * temperature) as f32).collect()
    }

    /// For each learned class, the logarithm of the odds that the photo shows it, not the trained class that is likeliest.
    fn log_odds(&self, embedding: &Embedding) -> impl Iterator<Item = f64> {
        let photo = self.whitening.apply(embedding);
        let nearest = nearest(&photo, &self.trained);
        self.learned.iter().map(move |prototype| self.learning.log_odds(photo.cosine(prototype) - nearest))
    }
}

/// Similarity to the most similar prototype.
fn nearest(photo: &Embedding, prototypes: &[Embedding]) -> f64 {
    prototypes.iter().map(|prototype| photo.cosine(prototype)).fold(f64::NEG_INFINITY, f64::max)
}
