//! What a person decided about landmarks in pictures. No model overrules it.
//!
//! A decision is about a picture, wherever its file is and whatever its metadata says, or about a whole library. It is written
//! to `decisions.jsonl`, a line each, and to the database; the file restores the database's rows after their loss.

mod error;
mod line;
mod store;

pub use error::DecisionError;
pub use line::{About, DecisionLine};
pub use store::{Decisions, Imported};
