//! Marks: landmarks in photos that are sure enough to be written.

use crate::state::{FileId, PayloadHash, Verdict};

/// Why a mark is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The model, and what the library says about it.
    Model,
    /// A person confirmed it.
    Confirmed,
}

/// A landmark in a photo that is sure enough to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The photo.
    pub file: FileId,
    /// Its picture.
    pub payload: PayloadHash,
    /// The landmark by its gazetteer's name.
    pub landmark: String,
    /// Its item on Wikidata.
    pub wikidata: Option<String>,
    /// How probable the mark is right, in this library: 1 where a person confirmed it.
    pub probability: f64,
    /// How probable the model holds the landmark, among those that it knows.
    pub model_probability: f64,
    /// What the trip and the photo's own position say.
    pub verdict: Verdict,
    /// Why it is to be written.
    pub basis: Basis,
    /// Where the camera may have stood; `None` where the photo has a position of its own, and where nothing is known.
    pub estimated: Option<EstimatedPosition>,
}

/// Where a camera may have stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EstimatedPosition {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How far off it may be, in metres.
    pub error_m: f64,
}

/// Which marks are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkRules {
    /// The largest expected share of wrong marks, of all and of each landmark.
    pub max_wrong: f64,
    /// Only what a person confirmed.
    pub confirmed_only: bool,
    /// Only this landmark, by any of its names.
    pub landmark: Option<String>,
}

impl Default for MarkRules {
    /// One wrong mark in 200.
    fn default() -> Self {
        Self { max_wrong: 1.0 / 200.0, confirmed_only: false, landmark: None }
    }
}

/// The marks that may be written, and what is to be expected of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// In order of the files' paths.
    pub marks: Vec<Mark>,
    /// The expected number of wrong ones among them: the sum of what their probabilities lack of 1.
    pub expected_wrong: f64,
    /// Photos whose landmark was considered and is not sure enough.
    pub not_sure: usize,
    /// Photos whose landmark is impossible by the trip or in conflict with their own position.
    pub vetoed: usize,
    /// Photos whose landmark a person rejected.
    pub rejected: usize,
}
