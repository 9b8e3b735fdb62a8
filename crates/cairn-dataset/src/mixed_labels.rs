//! Labels of photos that were mixed with others.

/// What a batch's photos were mixed with, and how much of each.
///
/// The loss of a photo is `weight * loss(label) + (1 - weight) * loss(partner)`, which for cross-entropy is the loss
/// against the [soft label](crate::Batch::soft_labels).
#[derive(Clone, Debug, PartialEq)]
pub struct MixedLabels {
    /// The share of each photo's own label, from 0 to 1; the same throughout the batch.
    pub weight: f32,
    /// Which photo of the batch the other is, `[len]`.
    pub partners: Vec<usize>,
}
