//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod blocks;
mod decisions;
mod embedding;
#[cfg(feature = "parquet")]
mod exports;
#[cfg(feature = "immich")]
mod fake_immich;
mod faults;
mod house;
#[cfg(feature = "immich")]
mod immich;
mod keywords;
mod oracles;
mod plans;
mod races;
mod readers;
mod refusals;
mod reviewing;
mod sidecars;
#[cfg(target_os = "linux")]
mod situations;
mod xmp;
