//! What a person decided about marks.

use super::words::words;
use super::{LibraryId, PayloadHash};

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// The picture shows the landmark.
    Confirm,
    /// The picture does not show the landmark.
    Reject,
    /// The picture is never marked; or in the whole library, the landmark is never marked.
    Never,
}

words!(Decision, "decision" { Confirm = "confirm", Reject = "reject", Never = "never" });

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A picture, wherever it is and whatever its metadata says.
    Picture(PayloadHash),
    /// All pictures of a library.
    Library(LibraryId),
}

/// A decision. The last one about the same subject and landmark holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// What it is about.
    pub subject: Subject,
    /// The landmark by its gazetteer's name; `None` for any.
    pub landmark: Option<String>,
    /// The landmark's item on Wikidata, which outlives a change of its name.
    pub wikidata: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// When, seconds since 1970.
    pub decided: i64,
}
