//! The file format: one safetensors file whose metadata entry `cairn` describes the model.

mod checksum;
mod foreign;
mod import;
mod input_size;
mod validate;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_nets::weights::TensorFile;
use cairn_nets::{Network, NetworkSpec, StateDict, StateDictError};
use cairn_photo::{Preprocess, TestViews};
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use self::checksum::Checksum;
pub use self::foreign::ForeignFormat;
pub use self::import::{ImportError, ImportOptions, Imported};
pub use self::input_size::InputSizeError;
pub(crate) use self::input_size::resize_input;
pub use self::validate::{InfoError, check_classes, check_preprocess};
use crate::{EmbeddingBank, FewShot, ModelError, Rejection};

/// The name of the best model's file in a run folder.
pub const BEST_MODEL: &str = "best.safetensors";

/// The name of a model's weights in a folder for model hubs.
pub(crate) const HUB_WEIGHTS: &str = "model.safetensors";

/// The metadata entry that makes a safetensors file a bundle.
pub(crate) const ENTRY: &str = "cairn";

/// The version of the description. Fields may be added under the same version; a change of meaning raises it.
const FORMAT: u64 = 1;

/// What a bundle says of its model, beside the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// The network.
    pub network: NetworkSpec,
    /// The classes, in the order of the logits.
    pub classes: ClassList,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// What the model looks at of a photo, unless somebody asks for other views.
    #[serde(default, skip_serializing_if = "TestViews::is_one")]
    pub views: TestViews,
    /// How photos that show none of the classes are told; where it is not known, nothing is said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// The classes that were added without training, once the model is calibrated for that. (Under `learning`, bundles
    /// of before this name had numbers of another meaning.)
    #[serde(rename = "few_shot", default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<FewShot>,
    /// What the logits are divided by before the softmax, so that probabilities can be believed: greater than 0, and 1
    /// in a model that nobody calibrated.
    #[serde(default = "uncalibrated")]
    pub temperature: f64,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// The temperature that leaves logits as they are.
fn uncalibrated() -> f64 {
    1.0
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of cairn that trained or imported it.
    pub cairn: String,
    /// The resolved recipe, as TOML; of an imported model, a comment that names the file.
    pub recipe: String,
    /// The fingerprint of the data set's index; empty where cairn did not train it.
    pub data_fingerprint: String,
    /// The epoch whose weights these are, counted from 1; 0 where cairn did not train it.
    pub epoch: usize,
    /// Mean cross-entropy on the validation photos after that epoch, in nats; not a number where cairn did not train it.
    #[serde(deserialize_with = "number_or_null")]
    pub valid_loss: f64,
    /// Share of validation photos named right, in `[0, 1]`; not a number where cairn did not train it.
    #[serde(deserialize_with = "number_or_null")]
    pub valid_accuracy: f64,
}

impl Provenance {
    /// Of weights that were trained elsewhere and came from `origin`.
    pub(crate) fn imported(origin: &str) -> Self {
        Self {
            cairn: env!("CARGO_PKG_VERSION").to_owned(),
            recipe: format!("# imported from {}\n", origin.replace(char::is_control, "?")),
            data_fingerprint: String::new(),
            epoch: 0,
            valid_loss: f64::NAN,
            valid_accuracy: f64::NAN,
        }
    }

    /// Whether cairn trained it, so that there are a recipe and figures.
    pub fn is_of_training(&self) -> bool {
        self.epoch > 0
    }
}

/// JSON has no word for what is not a number, and `null` stands in its place.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The description as it is in the file: the version first, so that it can be read alone.
#[derive(Serialize)]
struct Description<'a> {
    format: u64,
    weights_blake3: String,
    #[serde(flatten)]
    info: &'a BundleInfo,
}

/// What a description says of the file. [`BundleInfo`] is the rest.
#[derive(Deserialize)]
struct FileFields {
    format: u64,
    /// [`Checksum`] of the tensors, as hexadecimal digits; bundles of before it have none.
    weights_blake3: Option<String>,
}

/// All that a bundle holds.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub network: Network,
    pub info: BundleInfo,
    pub bank: EmbeddingBank,
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
    let failed = |source| ModelError::Write { path: path.to_owned(), source };
    let mut file = AtomicWriteFile::open(path).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.commit().map_err(failed)
}

/// The content of the metadata entry, for tensors of this checksum.
pub(crate) fn describe(info: &BundleInfo, weights: blake3::Hash) -> serde_json::Result<String> {
    let weights_blake3 = weights.to_hex().to_string();
    serde_json::to_string(&Description { format: FORMAT, weights_blake3, info })
}

/// Checks all that a description says; `path` is what errors call its file.
fn check_info(info: &BundleInfo, path: &Path) -> Result<(), ModelError> {
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
        let FileFields { format, weights_blake3 } = serde_json::from_str(text).map_err(unreadable)?;
        if format != FORMAT {
            return Err(ModelError::Version { path: owned(), found: format, supported: FORMAT });
        }
        let info: BundleInfo = serde_json::from_str(text).map_err(unreadable)?;
        check_info(&info, path)?;
        let network =
            info.network.blank(device).map_err(|source| ModelError::Network { path: owned(), source })?;
        let (features, unfit) =
            (network.feature_count(), |source| ModelError::Weights { path: owned(), source });
        EmbeddingBank::check(&file, &info, features)
            .map_err(|reason| ModelError::Memory { path: owned(), reason })?;
        let own = file.tensors().filter(|tensor| !EmbeddingBank::holds(tensor.name));
        network.check_shapes(own.map(|tensor| (tensor.name, tensor.shape))).map_err(unfit)?;
        check_values(&file, path)?;
        if weights_blake3.is_some_and(|expected| expected != Checksum::of(file.tensors()).to_hex().as_str()) {
            return Err(ModelError::Checksum { path: owned() });
        }
        let mut tensors = StateDict::from_file(&file).map_err(damaged)?;
        let bank = EmbeddingBank::taken_from(&mut tensors, features);
        let network = network.with_state_dict(tensors).map_err(unfit)?;
        Ok(Bundle { network, info, bank })
    }
}

/// Whether every tensor is of finite floats.
fn check_values(file: &TensorFile<'_>, path: &Path) -> Result<(), ModelError> {
    for tensor in file.tensors().filter(|tensor| !tensor.name.ends_with("num_batches_tracked")) {
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
