//! The embeddings that a bundle keeps beside its network.

use cairn_nets::StateDict;

use crate::{BundleInfo, Embedding, LandmarkScore, Whitening};

/// The embeddings that a bundle keeps beside its network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// The prototype (mean embedding) of each trained class, in class order; none where nothing needs them.
    pub prototypes: Vec<Embedding>,
    /// What trained classes are compared by with learned ones: a [mean](Whitening::mean) or several of each class; none
    /// where the prototypes are.
    pub centres: Vec<Embedding>,
    /// Photos that show no landmark; none where nothing needs them.
    pub non_landmarks: Vec<Embedding>,
    /// The prototype of each learned class, in the order of [`Learning::classes`](crate::Learning::classes).
    pub learned: Vec<Embedding>,
    /// Where learned classes are told from trained ones; `None` before calibration.
    pub whitening: Option<Whitening>,
}

/// Names of the tensors, `[embeddings, features]` each. No network has tensors of this prefix.
const PROTOTYPES: &str = "cairn.prototypes";
const CENTRES: &str = "cairn.centres";
const NON_LANDMARKS: &str = "cairn.non_landmarks";
const LEARNED: &str = "cairn.learned";
const CENTRE: &str = "cairn.whitening.centre";
const DIRECTIONS: &str = "cairn.whitening.directions";

impl Memory {
    /// Puts everything among the tensors of a bundle.
    pub(crate) fn insert_into(&self, tensors: &mut StateDict) {
        let mut insert = |name: &str, rows: &[&[f32]]| {
            if let Some(first) = rows.first() {
                tensors.insert(name, &[rows.len(), first.len()], rows.concat());
            }
        };
        for (name, embeddings) in [
            (PROTOTYPES, &self.prototypes),
            (CENTRES, &self.centres),
            (NON_LANDMARKS, &self.non_landmarks),
            (LEARNED, &self.learned),
        ] {
            insert(name, &embeddings.iter().map(Embedding::values).collect::<Vec<_>>());
        }
        if let Some(Whitening { centre, directions }) = &self.whitening {
            insert(CENTRE, &[centre]);
            insert(DIRECTIONS, &directions.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }

    /// Takes everything out again, for a network of so many features.
    ///
    /// # Errors
    /// Which tensor does not hold such embeddings.
    pub(crate) fn taken_from(tensors: &mut StateDict, features: usize) -> Result<Self, String> {
        let mut take = |name: &str| -> Result<Vec<Vec<f32>>, String> {
            let Some((shape, values)) = tensors.take(name) else { return Ok(Vec::new()) };
            if shape.len() != 2 || shape[1] != features {
                return Err(format!("{name} is {shape:?}, the network has {features} features"));
            }
            Ok(values.chunks_exact(features).map(<[f32]>::to_vec).collect())
        };
        let directions = take(DIRECTIONS)?;
        let centre = take(CENTRE)?.pop();
        let mut embeddings =
            |name| Ok::<_, String>(take(name)?.iter().map(|row| Embedding::stored(row)).collect());
        Ok(Self {
            prototypes: embeddings(PROTOTYPES)?,
            centres: embeddings(CENTRES)?,
            non_landmarks: embeddings(NON_LANDMARKS)?,
            learned: embeddings(LEARNED)?,
            whitening: centre.map(|centre| Whitening { centre, directions }),
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
        if info.learning.is_some() && self.whitening.is_none() {
            return Err("there is no space in which learned classes are compared".to_owned());
        }
        if (by_likeness || info.learning.is_some()) && self.prototypes.len() != info.classes.len() {
            return Err(format!("{} classes with {} prototypes", info.classes.len(), self.prototypes.len()));
        }
        Ok(self)
    }
}
