//! The embeddings that a bundle keeps beside its network.

use std::collections::HashMap;

use cairn_nets::StateDict;
use cairn_nets::weights::TensorFile;

use crate::{BundleInfo, Embedding, OodScore, Whitening};

/// The embeddings that a bundle keeps beside its network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbeddingBank {
    /// The prototype (mean embedding) of each trained class, in class order; none where nothing needs them.
    pub prototypes: Vec<Embedding>,
    /// What trained classes are compared by with learned ones: a [mean](Whitening::mean) or several of each class; none
    /// where the prototypes are.
    pub centres: Vec<Embedding>,
    /// Photos that show no landmark; none where nothing needs them.
    pub non_landmarks: Vec<Embedding>,
    /// The prototype of each learned class, in the order of [`FewShot::classes`](crate::FewShot::classes).
    pub learned: Vec<Embedding>,
    /// The space in which learned classes are compared with trained ones; `None` before calibration.
    pub whitening: Option<Whitening>,
}

/// What the names of all these tensors begin with, and no network's.
const PREFIX: &str = "cairn.";

/// Names of the tensors, `[embeddings, features]` each.
const PROTOTYPES: &str = "cairn.prototypes";
const CENTRES: &str = "cairn.centres";
const NON_LANDMARKS: &str = "cairn.non_landmarks";
const LEARNED: &str = "cairn.learned";
const CENTRE: &str = "cairn.whitening.centre";
const DIRECTIONS: &str = "cairn.whitening.directions";

/// All of them.
const ALL: [&str; 6] = [PROTOTYPES, CENTRES, NON_LANDMARKS, LEARNED, CENTRE, DIRECTIONS];

impl EmbeddingBank {
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

    /// Whether a tensor of a bundle is one of these embeddings, not of the network.
    pub(crate) fn holds(name: &str) -> bool {
        name.starts_with(PREFIX)
    }

    /// Checks the shapes of a bundle's embeddings, for a network of so many features: there is a prototype for each class
    /// of which the description needs one.
    ///
    /// # Errors
    /// Which tensor does not hold such embeddings.
    pub(crate) fn check(file: &TensorFile<'_>, info: &BundleInfo, features: usize) -> Result<(), String> {
        let mut rows: HashMap<&str, usize> = HashMap::new();
        for tensor in file.tensors().filter(|tensor| Self::holds(tensor.name)) {
            match tensor.shape {
                [count, columns] if *columns == features => rows.insert(tensor.name, *count),
                shape => {
                    let name = tensor.name;
                    return Err(format!("{name} is {shape:?}, the network has {features} features"));
                }
            };
        }
        if let Some(name) = rows.keys().find(|name| !ALL.contains(name)) {
            return Err(format!("{name} is not an embedding that a model keeps"));
        }
        let rows = |name: &str| rows.get(name).copied().unwrap_or_default();
        let learned = info.learning.as_ref().map_or(0, |learning| learning.classes.len());
        if rows(LEARNED) != learned {
            return Err(format!("{learned} learned classes with {} prototypes", rows(LEARNED)));
        }
        let by_likeness = info.rejection.is_some_and(|r| r.score == OodScore::Similarity);
        if info.learning.is_some() && rows(CENTRE) != 1 || rows(CENTRE) > 1 {
            return Err("there is no space in which learned classes are compared".to_owned());
        }
        if (by_likeness || info.learning.is_some()) && rows(PROTOTYPES) != info.classes.len() {
            return Err(format!("{} classes with {} prototypes", info.classes.len(), rows(PROTOTYPES)));
        }
        Ok(())
    }

    /// Takes out of the tensors of a bundle what [`EmbeddingBank::check`] has found whole.
    pub(crate) fn taken_from(tensors: &mut StateDict, features: usize) -> Self {
        let mut take = |name: &str| -> Vec<Vec<f32>> {
            let (_, values) = tensors.take(name).unwrap_or_default();
            values.chunks_exact(features.max(1)).map(<[f32]>::to_vec).collect()
        };
        let (directions, centre) = (take(DIRECTIONS), take(CENTRE).pop());
        let mut embeddings = |name| take(name).iter().map(|row| Embedding::stored(row)).collect();
        Self {
            prototypes: embeddings(PROTOTYPES),
            centres: embeddings(CENTRES),
            non_landmarks: embeddings(NON_LANDMARKS),
            learned: embeddings(LEARNED),
            whitening: centre.map(|centre| Whitening { centre, directions }),
        }
    }
}
