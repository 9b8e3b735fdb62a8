//! A photo library.
pub mod embed;
pub mod keywords;
pub mod sidecar;
pub mod xmp;
