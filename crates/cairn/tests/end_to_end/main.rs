//! The binary as people use it, from a drawn data set to a named landmark. One test binary, so that it links once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

mod answers;
mod bad_photos;
mod bench;
mod data;
mod data_split;
mod demo;
mod explain;
mod export;
mod folders;
mod guide;
mod import;
mod interrupt;
mod kills;
#[cfg(feature = "label")]
mod label;
mod learning;
#[cfg(feature = "library")]
mod library;
#[cfg(all(feature = "library", feature = "shipped"))]
mod library_marks;
mod nowhere;
mod output;
mod outputs;
mod places;
mod runs;
mod sandbox;
#[cfg(feature = "serve")]
mod serve;
mod shipped;
mod sweep;
mod way_of_a_photo;
#[cfg(unix)]
mod window;
mod wrong_usage;
