//! How probable a mark is right in this library.
//!
//! ```text
//! score of a photo -> likelihood ratio (landmark : other)        rightness
//! all scores of the library -> share of landmarks in it          prior
//! time, camera, positions -> veto, support, conflict             timeline, context
//! confirmed, rejected, in sight, out of sight -> correction      labels
//! the largest set whose expected share of wrong marks is small   selection
//! ```

mod assess;
mod assessed;
mod candidates;
mod context;
mod labels;
mod mark;
mod prior;
mod rightness;
mod selection;
#[cfg(test)]
mod tests;
mod timeline;

pub use assess::{Assessment, assess};
pub use assessed::Assessed;
pub use context::store as store_context;
pub use labels::{LandmarkPrecision, Precision};
pub use mark::{Basis, EstimatedPosition, Mark, MarkRules, Marks};
pub use rightness::Rightness;
pub use selection::marks;
