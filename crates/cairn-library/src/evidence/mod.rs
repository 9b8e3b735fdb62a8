//! How probable a mark is right in this library.

mod mark;

pub use mark::{Basis, EstimatedPosition, Mark, MarkRules, Marks};
