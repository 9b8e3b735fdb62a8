//! What a library's owner relies on.
#![allow(clippy::unwrap_used)]

mod xmp;
