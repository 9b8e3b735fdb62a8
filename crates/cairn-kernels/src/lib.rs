//! Fast CPU kernels for the layers of convolutional networks.
#![allow(unsafe_code)]

mod activation;
mod aligned;
pub mod batch_norm;
mod channel_sums;
pub mod conv;
mod element;
pub mod elementwise;
mod isa;
mod lanes;
pub mod optimiser;
pub mod peak;
pub mod pool;
mod shape;
mod shared;
mod tile;
mod vectorised;

pub use activation::Activation;
pub use element::Element;
pub use isa::{Isa, IsaError};
pub use shape::{Conv2dOptions, Conv2dShape, Extent, ShapeError};
