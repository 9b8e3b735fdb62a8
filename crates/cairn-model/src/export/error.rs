//! Why a model cannot be exported.

use cairn_dataset::path_text;
use std::io;
use std::path::PathBuf;

use cairn_nets::StateDictError;
use cairn_nets::graph::GraphError;

/// Why a model cannot be written in another format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The graph does not fit together, or not with the tensors.
    #[error("the network cannot be exported: {0}")]
    Graph(#[from] GraphError),
    /// The network's input is not what preprocessing gives.
    #[error("the network takes {network:?}, preprocessing gives {preprocess:?} pixels of three colours")]
    Input {
        /// The shape of the network's input.
        network: Vec<usize>,
        /// Height and width after preprocessing.
        preprocess: [u32; 2],
    },
    /// The network's output is not a number for each class.
    #[error("the network gives {network:?}, but there are {names} class names")]
    Classes {
        /// The shape of the network's output.
        network: Vec<usize>,
        /// How many names there are.
        names: usize,
    },
    /// A temperature that no softmax can have.
    #[error("a softmax needs a temperature above zero, not {0}")]
    Temperature(f32),
    /// A crop with borders, which cairn fills with black.
    #[error(
        "photos are resized to {short_side} px and cropped to {crop} px: only crops within the photo can be exported"
    )]
    Crop {
        /// Shorter side before the crop.
        short_side: u32,
        /// Side of the crop.
        crop: u32,
    },
    /// A tensor's name that is also the beginning of others', which modules of PyTorch cannot have.
    #[error("`{0}` is both a tensor and a module: PyTorch has no such modules")]
    Name(String),
    /// More than the format can hold.
    #[error("the model has {bytes} bytes, this format allows {limit}: use --half or --int8")]
    TooLarge {
        /// The model's length.
        bytes: usize,
        /// The format's limit.
        limit: usize,
    },
    /// 8-bit weights in a file that has no common way to keep them.
    #[error(
        "safetensors has no common format for 8-bit weights: export f32 or f16, or to ONNX or TorchScript"
    )]
    Int8Safetensors,
    /// Rounded weights that do not fit the network.
    #[error("the rounded weights do not fit the network: {0}")]
    Weights(#[from] StateDictError),
    /// The model's description cannot be written.
    #[error("the model's description could not be written: {0}")]
    Description(serde_json::Error),
    /// The safetensors file could not be put together.
    #[error("the weights could not be written: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A file is there already.
    #[error("{}: is there already; name another, or replace it with --force", path_text(path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The archive could not be put together.
    #[error("the archive could not be written: {0}")]
    Archive(#[from] zip::result::ZipError),
}
