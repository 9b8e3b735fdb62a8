//! Reading weights from a file of any of the kinds that are known.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{PthContent, PthError, TensorFile, TensorFileError, read_pth};
use crate::StateDict;

/// Why weights could not be read from a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The operating system does not give it.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{}: not a weights file (a folder or a device)", path.display())]
    NotAFile {
        /// What was to be read.
        path: PathBuf,
    },
    /// A safetensors file that is damaged.
    #[error("{}: {problem}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: TensorFileError,
    },
    /// A safetensors file has no keys but the modules of its names.
    #[error("{}: no tensor name begins with `{module}.`; omit --key", path.display())]
    NoSuchModule {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        module: String,
    },
    /// A file of PyTorch that is damaged, or holds no weights; or a file of another kind.
    #[error(transparent)]
    Pth(#[from] PthError),
}

/// The weights in a file, and what else is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightsFile {
    /// The weights, by the file's names. PyTorch's `num_batches_tracked` counters are left out.
    pub weights: StateDict,
    /// The key under which a checkpoint keeps them; `None` where the file is nothing but weights.
    pub key: Option<String>,
    /// The checkpoint's other keys that hold tensors.
    pub other_keys: Vec<String>,
    /// Names among the weights whose values are not read, each with its type.
    pub unread_entries: Vec<(String, String)>,
    /// Python's classes and functions in the file that were passed over.
    pub unread_classes: Vec<String>,
}

/// Reads the weights in a `.safetensors`, `.pth` or `.pt` file. What it is, its first bytes say, not its name.
///
/// `key` chooses among several state dicts of a checkpoint, as [`read_pth`] says, or one module of the weights.
///
/// # Errors
/// When the file cannot be read, is damaged, or is of another kind; the message names it.
pub fn read_weights(path: impl AsRef<Path>, key: Option<&str>) -> Result<WeightsFile, WeightsError> {
    let path = path.as_ref();
    let failed = |source| WeightsError::Read { path: path.to_owned(), source };
    // Reading a pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(WeightsError::NotAFile { path: path.to_owned() });
    }
    if !is_safetensors(path).map_err(failed)? {
        return Ok(read_pth(path, key)?.into());
    }
    let bytes = fs::read(path).map_err(failed)?;
    let file = TensorFile::parse(&bytes, "")
        .map_err(|problem| WeightsError::Safetensors { path: path.to_owned(), problem })?;
    let mut read = WeightsFile::default();
    for tensor in file.tensors() {
        if read.weights.insert_stored(&tensor).is_err() {
            read.unread_entries.push((tensor.name.to_owned(), tensor.dtype.to_string()));
        }
    }
    if let Some(module) = key {
        read.weights = read.weights.module(module);
        if read.weights.is_empty() {
            return Err(WeightsError::NoSuchModule { path: path.to_owned(), module: module.to_owned() });
        }
    }
    Ok(read)
}

impl From<PthContent> for WeightsFile {
    fn from(content: PthContent) -> Self {
        let PthContent { tensors, key, other_keys, unread_entries, unread_classes } = content;
        Self { weights: StateDict::from_tensors(tensors), key, other_keys, unread_entries, unread_classes }
    }
}

/// A safetensors file begins with the length of its header, eight bytes, and the header with a brace.
fn is_safetensors(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start.get(8) == Some(&b'{') && !start.starts_with(b"PK"))
}
