//! A photo library.
pub mod xmp;
