//! Fast CPU kernels for the layers of convolutional networks.
#![allow(unsafe_code)]

mod activation;
mod aligned;
pub mod conv;
mod element;
mod isa;
pub mod peak;
mod shape;
mod shared;
mod tile;
mod vectorised;

pub use activation::Activation;
pub use element::Element;
pub use isa::{Isa, IsaError};
pub use shape::{Conv2dOptions, Conv2dShape, Extent, ShapeError};
