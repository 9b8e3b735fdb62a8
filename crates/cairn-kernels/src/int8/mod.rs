//! Inference in 8 bits: maps of unsigned bytes, weights of signed bytes, sums of 32-bit integers.
//!
//! A byte of a map, a *level*, means `(level - zero_point) * scale`, with one [`Quantisation`] for a whole map. Weights are
//! symmetric: an integer from -127 to 127 times a scale of its output channel. So a convolution is a sum of products of
//! bytes, exact in 32 bits, and one multiplication and one addition for each output channel bring that sum to levels of the
//! output's own ([`Requantise`]): batch norm, bias, zero points, the residual and the activation are part of it.
//!
//! Sums are exact and the rest is done in one order without contraction, so that all instruction sets and any number of
//! threads give the same bits. [`Dot`] is how products of bytes are added; `docs/decisions/017-int8.md` says why this is as
//! it is.
//!
//! ```
//! use cairn_kernels::int8::{ByteConv, Dot, Requantise};
//! use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Isa, Padding};
//!
//! let shape = Conv2dShape::new(Conv2dOptions {
//!     batch: 1,
//!     map: Extent::square(2),
//!     inputs: 1,
//!     outputs: 1,
//!     kernel: Extent::square(1),
//!     stride: 1,
//!     padding: Padding::Each(0),
//!     groups: 1,
//! })?;
//! let requantise = Requantise::new(vec![0.5], vec![1.0]);
//! let conv = ByteConv::new(Dot::of(Isa::best()), &shape, &[3], &[0], requantise);
//! let mut output = [0; 4];
//! conv.forward(&shape, &[0, 1, 2, 200], None, &mut output);
//! // 2.5 is rounded to even, 301 ends at 255.
//! assert_eq!(output, [1, 2, 4, 255]);
//! # Ok::<(), cairn_kernels::ShapeError>(())
//! ```

mod bands;
mod conv;
mod dense;
mod depthwise;
mod dot;
mod elementwise;
mod linear;
mod patch;
mod pool;
mod product;
mod quantisation;
mod requantise;

pub use conv::{ByteConv, MOST_PRODUCTS};
pub use dot::Dot;
pub use elementwise::{Addition, add, dequantise, look_up, quantise};
pub use linear::linear;
pub use pool::{average, max_pool};
pub use quantisation::Quantisation;
pub use requantise::Requantise;
