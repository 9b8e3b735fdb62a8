//! Labels of photos that were mixed with others.

use crate::ClassId;

/// What a batch's photos were mixed with, and how much of each.
///
/// The loss of a photo is `weight * loss(label) + (1 - weight) * loss(partner)`, which for cross-entropy is the loss
/// against the [soft label](MixedLabels::soft_labels).
#[derive(Clone, Debug, PartialEq)]
pub struct MixedLabels {
    /// The share of each photo's own label, from 0 to 1; the same throughout the batch.
    pub weight: f32,
    /// The class of the other photo, `[len]`.
    pub partners: Vec<ClassId>,
}

impl MixedLabels {
    /// The labels as probabilities, `[len, classes]`.
    ///
    /// # Panics
    /// If a class is not below `classes`.
    pub fn soft_labels(&self, labels: &[ClassId], classes: usize) -> Vec<f32> {
        let mut soft = vec![0.0; labels.len() * classes];
        for ((row, label), partner) in soft.chunks_exact_mut(classes).zip(labels).zip(&self.partners) {
            row[label.index()] += self.weight;
            row[partner.index()] += 1.0 - self.weight;
        }
        soft
    }
}
