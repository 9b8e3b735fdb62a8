//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod blocks;
mod decisions;
mod embedding;
mod faults;
mod house;
mod keywords;
mod oracles;
mod plans;
mod races;
mod readers;
mod refusals;
mod sidecars;
mod xmp;
