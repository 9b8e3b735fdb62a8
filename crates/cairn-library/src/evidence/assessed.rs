//! A photo, its likeliest landmark, and how probable that is right.

use super::mark::EstimatedPosition;
use crate::state::{ContextRow, FileId, PayloadHash, Verdict};

/// The model's probability from which a conflict is worth telling.
const CONFLICT_PROBABILITY: f64 = 0.95;

/// A photo, its likeliest landmark, and how probable that is right.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessed {
    /// The photo.
    pub file: FileId,
    /// Its picture.
    pub payload: PayloadHash,
    /// The landmark by its gazetteer's name.
    pub landmark: String,
    /// Its item on Wikidata.
    pub wikidata: Option<String>,
    /// How probable a mark is right, in this library: 1 where a person confirmed it, 0 where a person rejected it, the trip
    /// makes it impossible, or the photo's own position is out of sight.
    pub probability: f64,
    /// How probable the model holds the landmark, among those that it knows.
    pub model_probability: f64,
    /// Whether the score reaches the model's sure threshold.
    pub is_sure: bool,
    /// What the trip and the photo's own position say.
    pub context: ContextRow,
    /// Whether a person confirmed it.
    pub confirmed: bool,
    /// Whether a person rejected it, or wants no marks there.
    pub rejected: bool,
    /// Where the camera may have stood.
    pub estimated: Option<EstimatedPosition>,
}

impl Assessed {
    /// Whether the photo's own position contradicts a landmark that the model is sure of: a wrong position, a replica, or a picture
    /// of a picture.
    pub fn is_conflict(&self) -> bool {
        self.context.verdict == Verdict::Conflict
            && self.is_sure
            && self.model_probability >= CONFLICT_PROBABILITY
    }
}
