//! Reading weights from a file of any of the kinds that are known.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{PthError, read_pth};
use crate::{StateDict, StateDictError};

/// Why weights could not be read from a file.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The operating system does not give it.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A safetensors file that is damaged, or holds other types.
    #[error("{}: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateDictError,
    },
    /// A file of PyTorch that is damaged, or holds no weights; or a file of another kind.
    #[error(transparent)]
    Pth(#[from] PthError),
}

/// Reads the weights in a `.safetensors`, `.pth` or `.pt` file; what it is, its first bytes say, not its name.
///
/// # Errors
/// When the file cannot be read, is damaged, or is of another kind; the message names it.
pub fn read_weights(path: impl AsRef<Path>) -> Result<StateDict, WeightsError> {
    let path = path.as_ref();
    let failed = |source| WeightsError::Read { path: path.to_owned(), source };
    if !is_safetensors(path).map_err(failed)? {
        return Ok(StateDict::from_tensors(read_pth(path)?));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let (weights, _) = StateDict::from_safetensors(&bytes, "")
        .map_err(|source| WeightsError::Safetensors { path: path.to_owned(), source })?;
    Ok(weights)
}

/// A safetensors file begins with the length of its header, eight bytes, and the header with a brace.
fn is_safetensors(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start.get(8) == Some(&b'{') && !start.starts_with(b"PK"))
}
