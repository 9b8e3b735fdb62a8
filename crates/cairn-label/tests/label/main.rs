//! Lists of every form, labelled with the model that comes with cairn.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "cloud")]
mod cloud;
mod formats;
mod photos;
mod plans;
mod rows;
mod stores;
