//! Photos as directions: two photos are alike as far as their embeddings point the same way.

use crate::neighbours::cosine;

/// A photo's embedding: the features before the network's last layer, scaled to length 1.
///
/// Features that are all zero, or not all finite, have no direction; their embedding is all zero and like nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// The direction of these features.
    pub fn of(features: &[f32]) -> Self {
        let length = features.iter().map(|&f| f64::from(f).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 && length.is_finite() {
            Self(features.iter().map(|&f| (f64::from(f) / length) as f32).collect())
        } else {
            Self(vec![0.0; features.len()])
        }
    }

    /// The embedding of these values, which another one's [`values`](Self::values) were.
    pub(crate) fn stored(values: &[f32]) -> Self {
        Self(values.to_vec())
    }

    /// The mean direction of several; `None` of none.
    ///
    /// # Panics
    /// If they are not of one length.
    pub fn mean<'a>(embeddings: impl IntoIterator<Item = &'a Embedding>) -> Option<Self> {
        let mut embeddings = embeddings.into_iter();
        let mut sum = embeddings.next()?.0.clone();
        for embedding in embeddings {
            assert_eq!(embedding.0.len(), sum.len(), "embeddings of one network are of one length");
            sum.iter_mut().zip(&embedding.0).for_each(|(sum, value)| *sum += value);
        }
        Some(Self::of(&sum))
    }

    /// Likeness as the cosine of the angle between them: 1 for the same direction, 0 for nothing in common.
    ///
    /// # Panics
    /// If they are not of one length.
    pub fn cosine(&self, other: &Embedding) -> f64 {
        cosine(&self.0, &other.0)
    }

    /// The components, as many as the network has features.
    pub fn values(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedding_is_of_length_one_whatever_the_features_length() {
        for features in [[3.0, 4.0], [3e-20, 4e-20], [3e30, 4e30]] {
            let embedding = Embedding::of(&features);
            for (found, expected) in embedding.values().iter().zip([0.6, 0.8]) {
                assert!((found - expected).abs() < 1e-6, "{features:?}: {embedding:?}");
            }
        }
    }

    #[test]
    fn likeness_is_the_cosine_of_the_angle() {
        let [east, north, north_east, west] =
            [[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0]].map(|features| Embedding::of(&features));
        for (a, b, expected) in [
            (&east, &east, 1.0),
            (&east, &north, 0.0),
            (&east, &north_east, 0.5_f64.sqrt()),
            (&east, &west, -1.0),
        ] {
            assert!((a.cosine(b) - expected).abs() < 1e-6, "{a:?} {b:?}");
        }
        assert_eq!(Embedding::mean([&east, &north]), Some(north_east));
        assert_eq!(Embedding::mean([]), None);
    }

    #[test]
    fn features_without_a_direction_are_like_nothing() {
        for features in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            let lost = Embedding::of(&features);
            assert_eq!(lost.cosine(&lost), 0.0, "{features:?}");
        }
    }
}
