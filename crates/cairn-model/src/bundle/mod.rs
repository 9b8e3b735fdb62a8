//! The file format: one safetensors file whose metadata entry `cairn` describes the model.

mod backbone;
mod checksum;
mod foreign;
mod import;
mod info;
mod info_error;
mod input_size;
mod int8;
mod names;
mod validate;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use atomic_write_file::AtomicWriteFile;
use burn::tensor::Device;
use cairn_nets::quantised::Int8Settings;
use cairn_nets::weights::TensorFile;
use cairn_nets::{Network, StateDictError};
use serde::{Deserialize, Serialize};

pub use self::backbone::Backbone;
pub(crate) use self::checksum::Checksum;
pub use self::foreign::ForeignFormat;
pub use self::import::{ImportError, ImportOptions, Imported};
pub use self::info::{BundleInfo, Provenance};
pub use self::info_error::InfoError;
pub use self::input_size::InputSizeError;
pub(crate) use self::input_size::resize_input;
pub(crate) use self::int8::{Int8, photo_levels, scale_name};
use self::int8::{StoredWeights, unfit};
pub use self::names::BEST_MODEL;
pub(crate) use self::names::{ENTRY, HUB_WEIGHTS};
pub use self::validate::{check_classes, check_preprocess};
use crate::few_shot::Comparison;
use crate::{EmbeddingBank, ModelError};

/// The version of the description. Fields may be added under the same version; a change of meaning raises it.
const FORMAT: u64 = 1;

/// The version of bundles in 8 bits, whose tensors those who read the first alone do not know.
const INT8_FORMAT: u64 = 2;

/// The description as it is in the file: the version first, so that it can be read alone.
#[derive(Serialize)]
struct Description<'a> {
    format: u64,
    weights_blake3: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    int8: Option<&'a Int8Settings>,
    #[serde(flatten)]
    info: &'a BundleInfo,
}

/// What is read of a description before all else.
#[derive(Deserialize)]
struct FormatField {
    format: u64,
}

/// What a description says of the file. [`BundleInfo`] is the rest.
#[derive(Deserialize)]
struct FileFields {
    /// [`Checksum`] of the tensors, as hexadecimal digits; bundles of before it have none.
    weights_blake3: Option<String>,
    /// Of a bundle in 8 bits.
    int8: Option<Int8Settings>,
}

/// All that a bundle holds.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub network: Network,
    pub info: BundleInfo,
    pub bank: EmbeddingBank,
    /// Of a model in 8 bits; the network has the floats that its weights mean.
    pub int8: Option<Arc<Int8>>,
    /// Made of the others when it is first needed.
    pub comparison: OnceLock<Option<Comparison>>,
}

/// Writes a bundle to `path`: a temporary file in the same folder, then renamed.
///
/// # Errors
/// [`ModelError::Write`] when the folder cannot be written.
pub fn write_bundle(path: &Path, network: &Network, info: &BundleInfo) -> Result<(), ModelError> {
    write_with_bank(path, network, info, &EmbeddingBank::default())
}

/// The same with the embeddings that the bundle keeps beside its network.
pub(crate) fn write_with_bank(
    path: &Path,
    network: &Network,
    info: &BundleInfo,
    bank: &EmbeddingBank,
) -> Result<(), ModelError> {
    check_info(info, path)?;
    let mut tensors = network.state_dict();
    bank.insert_into(&mut tensors);
    let text = describe(info, Checksum::of_state_dict(&tensors))
        .map_err(|source| ModelError::Description { path: path.to_owned(), source })?;
    let bytes = tensors
        .to_safetensors(ENTRY, text)
        .map_err(|source| ModelError::Damaged { path: path.to_owned(), source })?;
    write_file(path, &bytes)
}

/// Writes a bundle's bytes: a temporary file in the same folder, then renamed.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let failed = |source| ModelError::Write { path: path.to_owned(), source };
    let mut file = AtomicWriteFile::open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.commit().map_err(failed)
}

/// The content of the metadata entry, for tensors of this checksum.
pub(crate) fn describe(info: &BundleInfo, weights: blake3::Hash) -> serde_json::Result<String> {
    let weights_blake3 = weights.to_hex().to_string();
    serde_json::to_string(&Description { format: FORMAT, weights_blake3, int8: None, info })
}

/// The same of a bundle in 8 bits.
pub(crate) fn describe_int8(
    info: &BundleInfo,
    int8: &Int8Settings,
    weights: blake3::Hash,
) -> serde_json::Result<String> {
    let weights_blake3 = weights.to_hex().to_string();
    serde_json::to_string(&Description { format: INT8_FORMAT, weights_blake3, int8: Some(int8), info })
}

/// Checks all that a description says; `path` is what errors call its file.
pub(crate) fn check_info(info: &BundleInfo, path: &Path) -> Result<(), ModelError> {
    let owned = || path.to_owned();
    if info.classes.len() != info.network.classes {
        let (classes, logits) = (info.classes.len(), info.network.classes);
        return Err(ModelError::Classes { path: owned(), classes, logits });
    }
    info.network.validate().map_err(|source| ModelError::Network { path: owned(), source })?;
    info.validate().map_err(|problem| ModelError::Info { path: owned(), problem })
}

/// The bundle's file that `path` means: itself, or the best model of the run folder, or the weights of the hub folder
/// ([`HubFolder`](crate::export::HubFolder)), that it is.
///
/// # Errors
/// [`ModelError::NotFound`] or [`ModelError::NoModelInRun`] where there is none.
pub fn bundle_path(path: &Path) -> Result<PathBuf, ModelError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if !path.is_dir() {
        return Err(ModelError::NotFound { path: path.to_owned() });
    }
    // A run, or a folder for a model hub.
    let models = [BEST_MODEL, HUB_WEIGHTS].map(|name| path.join(name));
    let model = models.into_iter().find(|model| model.is_file());
    model.ok_or_else(|| ModelError::NoModelInRun { path: path.to_owned() })
}

/// Reads the bundle at `path` onto `device`.
pub(crate) fn read_bundle(path: &Path, device: &Device) -> Result<Bundle, ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    Bundle::from_bytes(&bytes, path, device)
}

impl Bundle {
    pub(crate) fn new(network: Network, info: BundleInfo, bank: EmbeddingBank) -> Self {
        Self { network, info, bank, int8: None, comparison: OnceLock::new() }
    }

    /// The bundle in the bytes of a file; `path` is what errors call it.
    ///
    /// What refuses a file comes before its tensors are read, so that refusing takes less memory than the file.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<Self, ModelError> {
        let owned = || path.to_owned();
        let damaged = |source| ModelError::Damaged { path: owned(), source };
        if let Some(format) = ForeignFormat::of(bytes, path) {
            return Err(ModelError::Foreign { path: owned(), format });
        }
        let file = TensorFile::parse(bytes, ENTRY).map_err(|source| damaged(source.into()))?;
        let text = file.entry().ok_or_else(|| ModelError::NotABundle { path: owned() })?;
        let longest = validate::longest_description(bytes.len());
        if text.len() > longest {
            let (field, found) = ("the description".to_owned(), format!("{} bytes", text.len()));
            let problem = InfoError { field, found, expected: format!("{longest} at most") };
            return Err(ModelError::Info { path: owned(), problem });
        }
        let unreadable = |source| ModelError::Description { path: owned(), source };
        let FormatField { format } = serde_json::from_str(text).map_err(unreadable)?;
        if ![FORMAT, INT8_FORMAT].contains(&format) {
            return Err(ModelError::Version { path: owned(), found: format, supported: INT8_FORMAT });
        }
        let FileFields { weights_blake3, int8 } = serde_json::from_str(text).map_err(unreadable)?;
        let int8 = int8.filter(|_| format == INT8_FORMAT);
        let info: BundleInfo = serde_json::from_str(text).map_err(unreadable)?;
        check_info(&info, path)?;
        let network =
            info.network.blank(device).map_err(|source| ModelError::Network { path: owned(), source })?;
        let (features, misfit) =
            (network.feature_count(), |source| ModelError::Weights { path: owned(), source });
        EmbeddingBank::check(&file, &info, features)
            .map_err(|reason| ModelError::Memory { path: owned(), reason })?;
        let stored = StoredWeights::of(&file, int8.is_some());
        let own = stored.tensors().filter(|tensor| !EmbeddingBank::holds(tensor.name));
        network.check_shapes(own.map(|tensor| (tensor.name, tensor.shape))).map_err(misfit)?;
        check_values(&file, &stored, path)?;
        if weights_blake3.is_some_and(|expected| expected != Checksum::of(file.tensors()).to_hex().as_str()) {
            return Err(ModelError::Checksum { path: owned() });
        }
        let (mut tensors, weights) = stored.read().map_err(damaged)?;
        let bank = EmbeddingBank::taken_from(&mut tensors, features);
        let network = network.with_state_dict(tensors).map_err(misfit)?;
        let int8 = int8.map(|settings| Int8::new(&network, &info, settings, weights, device)).transpose();
        let int8 = int8.map_err(|source| unfit(path, source))?.map(Arc::new);
        Ok(Bundle { int8, ..Bundle::new(network, info, bank) })
    }
}

/// Whether every tensor is of finite floats, or of bytes with scales.
fn check_values(file: &TensorFile<'_>, stored: &StoredWeights<'_>, path: &Path) -> Result<(), ModelError> {
    for tensor in file.tensors().filter(|tensor| !tensor.name.ends_with("num_batches_tracked")) {
        if stored.is_sound(&tensor) {
            continue;
        }
        let name = tensor.name.to_owned();
        let Some(float) = tensor.float() else {
            let source = StateDictError::Dtype { name, dtype: tensor.dtype };
            return Err(ModelError::Damaged { path: path.to_owned(), source });
        };
        if !float.all_finite(tensor.bytes) {
            return Err(ModelError::NotFinite { path: path.to_owned(), tensor: name });
        }
    }
    Ok(())
}
