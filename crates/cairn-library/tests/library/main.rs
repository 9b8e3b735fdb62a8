//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod faults;
mod house;
mod keywords;
mod plans;
mod races;
mod readers;
mod sidecars;
mod xmp;
