//! Weights from files: safetensors, and what PyTorch's `torch.save` and `torch.jit.save` write, read without running
//! anything.
//!
//! A file of PyTorch is a pickle, a program for a small machine that may call any function of Python. The machine
//! here knows the few calls that rebuild tensors and refuses the rest by name, so that a file from a stranger
//! is data and nothing else.

mod archive;
mod blend;
mod checkpoint;
mod download;
mod error;
mod file;
mod fitted;
mod globals;
mod legacy;
mod pickle;
mod pth;
mod tensor;
mod value;

pub use download::{DownloadError, fetch_weights};
pub use error::{PthError, PthProblem};
pub use file::{WeightsError, read_weights};
pub use fitted::{Fitted, HeadFit};
pub use pth::read_pth;
pub use tensor::{Dtype, RawTensor};
