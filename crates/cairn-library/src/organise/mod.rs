//! Albums by landmark: links, copies and moves, as a plan that [`crate::plan::apply`] carries out and [`crate::plan::undo`] takes
//! back. Nothing here writes to a library.

mod error;
#[cfg(feature = "immich")]
pub mod immich;
mod place;
mod template;

pub use error::OrganiseError;
pub use place::{NotPlaced, OrganiseMode, OrganiseReport, organise};
pub use template::Template;
