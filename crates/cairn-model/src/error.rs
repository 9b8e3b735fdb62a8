//! What can go wrong with a model file.

use cairn_dataset::path_text;
use std::io;
use std::path::PathBuf;

use cairn_nets::quantised::QuantiseError;
use cairn_nets::{SpecError, StateDictError};
use cairn_photo::PhotoError;

use crate::{ForeignFormat, InfoError, OptionsError};

/// Why a model could not be opened, written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is neither a model file nor a run folder at this path.
    #[error(
        "{}: no model here; give a bundle (.safetensors) or the folder of a training run",
        path_text(path)
    )]
    NotFound {
        /// What was to be opened.
        path: PathBuf,
    },
    /// A folder without a best model in it.
    #[error(
        "{}: this folder holds no model: a run has {} after its first epoch",
        path_text(path),
        crate::BEST_MODEL
    )]
    NoModelInRun {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read", path_text(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A model of another program.
    #[error("{}: {format}", path_text(path))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: ForeignFormat,
    },
    /// Truncated, or not in safetensors format.
    #[error("{}: damaged or incomplete model file: copy it again, or train again", path_text(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateDictError,
    },
    /// A safetensors file without cairn's description in it.
    #[error(
        "{}: a weights file, not a cairn model: it does not name its network and classes; `cairn import` makes a model of it",
        path_text(path)
    )]
    NotABundle {
        /// The file.
        path: PathBuf,
    },
    /// Written by another version of the format.
    #[error(
        "{}: written in model format {found}, this cairn reads {supported}: use the cairn that wrote it, or a newer one",
        path_text(path)
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's format version.
        found: u64,
        /// The version that is read here.
        supported: u64,
    },
    /// The description does not make sense.
    #[error("{}: the model's description cannot be read", path_text(path))]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The description names a network that cannot be.
    #[error("{}: the model's network cannot be built", path_text(path))]
    Network {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SpecError,
    },
    /// The weights do not fit the network that the description names.
    #[error("{}: the weights do not fit the network that the model names", path_text(path))]
    Weights {
        /// The file.
        path: PathBuf,
        /// Which tensors do not fit.
        source: StateDictError,
    },
    /// The 8-bit form of the model does not fit its network.
    #[error("{}: the model's 8-bit form does not fit its network", path_text(path))]
    Int8 {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: Box<QuantiseError>,
    },
    /// The number of classes and the length of the logits differ.
    #[error("{}: the model names {classes} classes, its network has {logits} outputs", path_text(path))]
    Classes {
        /// The file.
        path: PathBuf,
        /// Classes in the list.
        classes: usize,
        /// Length of the logits.
        logits: usize,
    },
    /// A value of the description is outside of its limits.
    #[error("{}: {problem}", path_text(path))]
    Info {
        /// The file.
        path: PathBuf,
        /// Which value, and what it may be.
        problem: InfoError,
    },
    /// The weights are not those that were written.
    #[error(
        "{}: the weights do not match the file's checksum: copy the file again, or train again",
        path_text(path)
    )]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// A weight that is no number.
    #[error(
        "{}: tensor `{tensor}` has infinite or NaN values: copy the file again, or train again",
        path_text(path)
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first such tensor, in name order.
        tensor: String,
    },
    /// The embeddings beside the network do not fit it or the description.
    #[error("{}: {reason}: the file was not written by cairn, or damaged", path_text(path))]
    Memory {
        /// The file.
        path: PathBuf,
        /// Which of them, and why.
        reason: String,
    },
    /// The file cannot be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The model cannot answer as the options say.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The photo cannot be read.
    #[error(transparent)]
    Photo(#[from] PhotoError),
}
