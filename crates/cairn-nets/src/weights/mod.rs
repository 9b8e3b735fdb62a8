//! Weights from files: safetensors, and what PyTorch's `torch.save` and `torch.jit.save` write, read without running
//! anything.
//!
//! A file of PyTorch is a pickle, a program for a small machine that may call any function of Python. The machine
//! here knows the few calls that rebuild tensors. Every other call gives a placeholder that holds nothing, so that a file
//! from a stranger is data and nothing else.

mod archive;
mod blend;
mod budget;
mod checkpoint;
mod download;
mod error;
mod file;
mod fitted;
mod globals;
mod legacy;
mod names;
mod naming;
mod pickle;
mod pth;
mod tensor;
mod tensor_file;
mod timm;
mod value;

pub use download::{DownloadError, fetch_weights};
pub use error::{NamingError, PthError, PthProblem};
pub use file::{WeightsError, WeightsFile, read_weights};
pub use fitted::{Fitted, HeadFit};
pub use naming::Named;
pub use pth::{PthContent, read_pth};
pub use tensor::{Dtype, RawTensor};
pub use tensor_file::{StoredTensor, TensorFile, TensorFileError};
