//! Data sets on disk, from the folder to the batch. One binary, so that the tests link once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cache;
mod check;
mod image_folder;
mod listed;
mod little_folder;
mod loader;
mod loader_options;
mod mutated;
mod names;
mod partition;
mod real_photos;
mod stats;
mod tars;
mod walking;
