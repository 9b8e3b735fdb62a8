//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod house;
mod keywords;
mod plans;
mod readers;
mod sidecars;
mod xmp;
