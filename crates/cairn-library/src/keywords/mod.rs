//! Keywords: where they are in a photo and its sidecars, and what each field must hold so that none is hidden.
//!
//! Programs read the first field that they find and pass over the others, and a field in a sidecar hides the same field in
//! the photo. So cairn writes three fields together, and each gets every keyword that the photo has ([`Union`]).

mod fields;
mod path;
mod union;

pub use fields::{KeywordField, Keywords};
pub use path::KeywordPath;
pub use union::{Items, Union};
