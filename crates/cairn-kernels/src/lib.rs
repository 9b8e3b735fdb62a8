//! Fast CPU kernels for the layers of convolutional networks: forward, backward, and the optimiser's step.
//!
//! [`layers`] offers them on Burn's tensors, with gradients; everything below that works on plain slices. Feature maps
//! are NHWC and contiguous, of f32 or (where [`Isa::has_bf16`]) of bf16. Weights, biases, statistics and all sums are
//! f32. Weights come in torchvision's layout. [`conv::PackedWeights`] packs them into the kernels' own layout; callers
//! keep the packed weights as long as the weights stay the same. The caller provides the slices for outputs, so that
//! large maps can be reused. Every element of an output is written.
//!
//! Work is spread over the threads of the current rayon pool, and is quickest where [one of them](in_pool) begins it. Results have the same bits on any number of threads: the
//! order of every sum depends on the shapes alone.
//!
//! ```
//! use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
//! use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Isa, Padding};
//!
//! let shape = Conv2dShape::new(Conv2dOptions {
//!     batch: 1,
//!     map: Extent::square(2),
//!     inputs: 1,
//!     outputs: 1,
//!     kernel: Extent::square(3),
//!     stride: 1,
//!     padding: Padding::Each(1),
//!     groups: 1,
//! })?;
//! let weights = PackedWeights::new(Isa::best(), &shape, Direction::Forward, &[1.0; 9]);
//! let mut output = [0.0; 4];
//! conv::forward(&shape, &[1.0, 2.0, 3.0, 4.0], &weights, Epilogue::default(), &mut output);
//! assert_eq!(output, [10.0; 4]);
//! # Ok::<(), cairn_kernels::ShapeError>(())
//! ```
//!
//! | module | layers |
//! | --- | --- |
//! | [`layers`], [`extension`] | all of them as operations on Burn's tensors |
//! | [`conv`] | dense, depthwise and grouped convolutions, with bias, residual add and activation |
//! | [`batch_norm`] | batch norm with residual add and activation, and its folding into convolutions |
//! | [`layer_norm`] | layer norm over the channels |
//! | [`channel_scale`] | squeeze-and-excitation's product |
//! | [`Activation`] | ReLU, sigmoid, SiLU, GELU and their piecewise linear versions |
//! | [`pool`] | max pool and global average pool |
//! | [`int8`] | convolutions, pools and sums of maps of bytes, for inference |
//! | [`elementwise`], [`layout`] | activations, residual add, conversions |
//! | [`optimiser`] | SGD, Adam, AdamW, the gradient's norm, running means |
//! | [`roofline`] | no layers: what the machine can do at most |
//!
//! Inside, one register-blocked product (`microkernel`; `microkernel::amx` where there is a tile unit) carries all dense
//! convolutions, and one macro (`vectorised`) compiles plain loops for every instruction set;
//! `docs/decisions/002-kernels.md` and `005-amx.md` say why.

// Vector instructions need it, and slices whose disjoint parts several threads write. Every use says why it is sound.
#![allow(unsafe_code)]
#![deny(clippy::undocumented_unsafe_blocks)]

mod activation;
mod aligned;
pub mod batch_norm;
pub mod channel_scale;
mod channel_sums;
mod clamp;
pub mod columns;
pub mod conv;
mod disjoint_slice;
mod element;
pub mod elementwise;
pub mod extension;
pub mod int8;
mod isa;
mod lanes;
pub mod layer_norm;
pub mod layers;
pub mod layout;
mod memory;
mod microkernel;
pub mod optimiser;
pub mod pool;
pub mod roofline;
mod shape;
mod team;
mod threads;
mod vectorised;

pub use activation::Activation;
pub use clamp::Clamp;
pub use element::Element;
pub use isa::{Isa, IsaError};
pub use memory::trim;
pub use shape::{Conv2dOptions, Conv2dShape, Extent, Padding, ShapeError};
pub use team::{alone, in_team};
pub use threads::in_pool;
