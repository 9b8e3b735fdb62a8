//! PyTorch's files read as PyTorch reads them, and files that nobody should trust read without harm.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod by_hand;
mod hostile;
mod mutated;
mod pickler;
mod pytorch;
