//! Weights in PyTorch's files: what `torch.save` and `torch.jit.save` write, read without running anything.
//!
//! Such a file is a pickle, a program for a small machine that may call any function of Python. The machine
//! here knows the few calls that rebuild tensors and refuses the rest by name, so that a file from a stranger
//! is data and nothing else.

mod archive;
mod checkpoint;
mod error;
mod globals;
mod legacy;
mod pickle;
mod pth;
mod tensor;
mod value;

pub use error::{PthError, PthProblem};
pub use pth::read_pth;
pub use tensor::{Dtype, RawTensor};
