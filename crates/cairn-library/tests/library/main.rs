//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod keywords;
mod readers;
mod sidecars;
mod xmp;
