//! The embeddings that a bundle keeps beside its network.

use cairn_nets::StateDict;

use crate::{BundleInfo, Embedding, LandmarkScore};

/// The embeddings that a bundle keeps beside its network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// The prototype (mean embedding) of each trained class, in class order; none where nothing needs them.
    pub prototypes: Vec<Embedding>,
    /// Photos that show no landmark; none where nothing needs them.
    pub non_landmarks: Vec<Embedding>,
    /// The prototype of each learned class, in the order of [`Learning::classes`](crate::Learning::classes).
    pub learned: Vec<Embedding>,
}

/// Names of the tensors, `[embeddings, features]` each. No network has tensors of this prefix.
const PROTOTYPES: &str = "cairn.prototypes";
const NON_LANDMARKS: &str = "cairn.non_landmarks";
const LEARNED: &str = "cairn.learned";

impl Memory {
    /// Puts everything among the tensors of a bundle.
    pub(crate) fn insert_into(&self, tensors: &mut StateDict) {
        for (name, embeddings) in
            [(PROTOTYPES, &self.prototypes), (NON_LANDMARKS, &self.non_landmarks), (LEARNED, &self.learned)]
        {
            if let Some(first) = embeddings.first() {
                let values = embeddings.iter().flat_map(Embedding::values).copied().collect();
                tensors.insert(name, &[embeddings.len(), first.values().len()], values);
            }
        }
    }

    /// Takes everything out again, for a network of so many features.
    ///
    /// # Errors
    /// Which tensor does not hold such embeddings.
    pub(crate) fn taken_from(tensors: &mut StateDict, features: usize) -> Result<Self, String> {
        let mut take = |name: &str| {
            let Some((shape, values)) = tensors.take(name) else { return Ok(Vec::new()) };
            if shape.len() != 2 || shape[1] != features {
                return Err(format!("{name} is {shape:?}, the network has {features} features"));
            }
            Ok(values.chunks_exact(features).map(Embedding::stored).collect())
        };
        Ok(Self {
            prototypes: take(PROTOTYPES)?,
            non_landmarks: take(NON_LANDMARKS)?,
            learned: take(LEARNED)?,
        })
    }

    /// The same if there is a prototype for each class of which the description needs one.
    ///
    /// # Errors
    /// Which are not as many as they must be.
    pub(crate) fn checked(self, info: &BundleInfo) -> Result<Self, String> {
        let learned = info.learning.as_ref().map_or(0, |learning| learning.classes.len());
        if self.learned.len() != learned {
            return Err(format!("{learned} learned classes with {} prototypes", self.learned.len()));
        }
        let by_likeness = info.rejection.is_some_and(|r| r.score == LandmarkScore::Similarity);
        if by_likeness && self.prototypes.len() != info.classes.len() {
            return Err(format!("{} classes with {} prototypes", info.classes.len(), self.prototypes.len()));
        }
        Ok(self)
    }
}
