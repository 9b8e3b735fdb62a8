//! Exported models, run by others and compared with PyTorch. One binary, so that the tests link once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod every_network;
mod exported;
mod hub;
mod int8;
mod models;
mod networks;
mod photos;
mod python;
#[cfg(feature = "verify")]
mod verify;
