//! Telling photos of the landmarks that a model knows from photos of anything else.

use cairn_dataset::Softmax;

use crate::{Embedding, EmbeddingBank, Model, ModelOutput, OodScore};

impl OodScore {
    /// The score of a photo of this output.
    pub(crate) fn of(self, model: &Model, output: &ModelOutput) -> f64 {
        match self {
            Self::Confidence => softmax(&model.calibrated(&output.logits)).greatest_probability(),
            Self::Energy => softmax(&model.calibrated(&output.logits)).log_sum(),
            Self::Entropy => unevenness(&model.calibrated(&output.logits)),
            Self::Similarity => model.bank().similarity(&output.embedding, 0),
        }
    }
}

impl EmbeddingBank {
    /// Likeness to the nearest prototype, less the mean likeness to the nearest five non-landmarks
    /// ([`OodScore::Similarity`]), of which the nearest `passed_over` do not count.
    pub fn similarity(&self, embedding: &Embedding, passed_over: usize) -> f64 {
        let prototypes = self.prototypes.iter().chain(&self.learned);
        let nearest =
            prototypes.map(|prototype| embedding.cosine(prototype)).fold(f64::NEG_INFINITY, f64::max);
        let mut likenesses: Vec<f64> =
            self.non_landmarks.iter().map(|other| embedding.cosine(other)).collect();
        likenesses.sort_by(|a, b| b.total_cmp(a));
        let counted = likenesses.iter().skip(passed_over).take(NEAREST);
        nearest - counted.clone().sum::<f64>() / counted.count().max(1) as f64
    }
}

/// How many of the nearest non-landmarks count in [`OodScore::Similarity`].
const NEAREST: usize = 5;

fn softmax(logits: &[f64]) -> Softmax {
    Softmax::of(logits.iter().copied())
}

/// The power to which [`OodScore::Entropy`] raises probabilities: what its authors found best.
const ENTROPY_POWER: f64 = 0.1;

/// One less the generalised entropy of the classes' probabilities, as a share of what it is where all are alike.
fn unevenness(logits: &[f64]) -> f64 {
    let softmax = softmax(logits);
    let part = |p: f64| (p * (1.0 - p)).max(0.0).powf(ENTROPY_POWER);
    let entropy: f64 = logits.iter().map(|logit| part(softmax.probability(*logit))).sum();
    let classes = logits.len() as f64;
    // A single class is always certain.
    if logits.len() < 2 { 1.0 } else { 1.0 - entropy / (classes * part(1.0 / classes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unevenness_is_generalised_entropy_turned_round_from_all_alike_to_one_certain() {
        assert!(unevenness(&[2.0; 8]).abs() < 1e-12);
        assert_eq!(unevenness(&[0.0, 1000.0, 0.0]), 1.0);
        assert_eq!(unevenness(&[3.0]), 1.0);
        // Probabilities of 1/2, 1/4 and 1/4, in f64 by hand.
        let logits = [0.5_f64, 0.25, 0.25].map(f64::ln);
        let parts = 0.25_f64.powf(0.1) + 2.0 * 0.1875_f64.powf(0.1);
        let alike = 3.0 * (2.0_f64 / 9.0).powf(0.1);
        assert!((unevenness(&logits) - (1.0 - parts / alike)).abs() < 1e-12);
    }

    #[test]
    fn similarity_is_the_nearest_prototype_less_the_mean_of_the_nearest_non_landmarks() {
        let at = |degrees: f32| {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            Embedding::of(&[cosine, sine])
        };
        let cos = |degrees: f64| degrees.to_radians().cos();
        let bank = EmbeddingBank {
            prototypes: vec![at(90.0)],
            centres: vec![],
            learned: vec![at(20.0)],
            non_landmarks: [180.0, 30.0, 40.0, 50.0, 60.0, 70.0].map(at).to_vec(),
            ..EmbeddingBank::default()
        };
        let five = (cos(30.0) + cos(40.0) + cos(50.0) + cos(60.0) + cos(70.0)) / 5.0;
        assert!((bank.similarity(&at(0.0), 0) - (cos(20.0) - five)).abs() < 1e-6);
        let without_30 = five + (cos(180.0) - cos(30.0)) / 5.0;
        assert!((bank.similarity(&at(0.0), 1) - (cos(20.0) - without_30)).abs() < 1e-6);
        assert!((bank.similarity(&at(0.0), 6) - cos(20.0)).abs() < 1e-6);
    }

    #[test]
    fn without_non_landmarks_similarity_is_that_to_the_nearest_prototype() {
        let [east, north] = [[1.0, 0.0], [0.0, 1.0]].map(|features| Embedding::of(&features));
        let bank = EmbeddingBank { prototypes: vec![north, east.clone()], ..EmbeddingBank::default() };
        assert_eq!(bank.similarity(&east, 0), 1.0);
    }
}
