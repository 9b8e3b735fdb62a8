//! What a network says of a photo.

use cairn_dataset::ClassId;

use crate::Embedding;

/// A model's output for one photo.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOutput {
    /// One logit for each of the model's [classes](crate::Model::classes), before the temperature.
    pub logits: Vec<f32>,
    /// What the photo looks like to the network.
    pub embedding: Embedding,
}

impl ModelOutput {
    /// The class of the greatest logit, the first of equals; `None` where they have no softmax.
    pub fn likeliest(&self) -> Option<ClassId> {
        ClassId::of_greatest(&self.logits)
    }
}
