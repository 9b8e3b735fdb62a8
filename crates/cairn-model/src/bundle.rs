//! The file format: one safetensors file whose metadata entry `cairn` describes the model.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_nets::{Network, NetworkSpec, StateDict};
use cairn_photo::{Preprocess, TestViews};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Learning, Memory, ModelError, Rejection};

/// The name of the best model's file in a run folder.
pub const BEST_MODEL: &str = "best.safetensors";

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
    pub learning: Option<Learning>,
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
            recipe: format!("# imported from {origin}\n"),
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

/// The description as it stands in the file: the version first, so that it can be read alone.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u64,
    #[serde(flatten)]
    info: BundleInfo,
}

#[derive(Deserialize)]
struct FormatVersion {
    format: u64,
}

/// All that a bundle holds.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub network: Network,
    pub info: BundleInfo,
    pub memory: Memory,
}

/// Writes a bundle to `path`: a temporary file in the same folder, then renamed.
///
/// # Errors
/// [`ModelError::Write`] when the folder cannot be written.
pub fn write_bundle(path: &Path, network: &Network, info: &BundleInfo) -> Result<(), ModelError> {
    write_with_memory(path, network, info, &Memory::default())
}

/// The same with the embeddings that the bundle keeps beside its network.
pub(crate) fn write_with_memory(
    path: &Path,
    network: &Network,
    info: &BundleInfo,
    memory: &Memory,
) -> Result<(), ModelError> {
    let text = describe(info).map_err(|source| ModelError::Description { path: path.to_owned(), source })?;
    let mut tensors = network.state_dict();
    memory.insert_into(&mut tensors);
    let bytes = tensors
        .to_safetensors(ENTRY, text)
        .map_err(|source| ModelError::Damaged { path: path.to_owned(), source })?;
    let failed = |source| ModelError::Write { path: path.to_owned(), source };
    let mut file = AtomicWriteFile::open(path).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.commit().map_err(failed)
}

/// The content of the metadata entry.
pub(crate) fn describe(info: &BundleInfo) -> serde_json::Result<String> {
    serde_json::to_string(&Description { format: FORMAT, info: info.clone() })
}

/// The bundle's file that `path` means: itself, or the best model of the run folder that it is.
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
    let best = path.join(BEST_MODEL);
    if best.is_file() { Ok(best) } else { Err(ModelError::NoModelInRun { path: path.to_owned() }) }
}

/// Reads the bundle at `path` onto `device`.
pub(crate) fn read_bundle(path: &Path, device: &Device) -> Result<Bundle, ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    Bundle::from_bytes(&bytes, path, device)
}

impl Bundle {
    /// The bundle in the bytes of a file; `path` is what errors call it.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<Self, ModelError> {
        let owned = || path.to_owned();
        let (mut tensors, entry) = StateDict::from_safetensors(bytes, ENTRY)
            .map_err(|source| ModelError::Damaged { path: owned(), source })?;
        let text = entry.ok_or_else(|| ModelError::NotABundle { path: owned() })?;
        let unreadable = |source| ModelError::Description { path: owned(), source };
        let FormatVersion { format } = serde_json::from_str(&text).map_err(unreadable)?;
        if format != FORMAT {
            return Err(ModelError::Version { path: owned(), found: format, supported: FORMAT });
        }
        let Description { info, .. } = serde_json::from_str(&text).map_err(unreadable)?;
        if info.classes.len() != info.network.classes {
            let (classes, logits) = (info.classes.len(), info.network.classes);
            return Err(ModelError::Classes { path: owned(), classes, logits });
        }
        if !(info.temperature.is_finite() && info.temperature > 0.0) {
            return Err(ModelError::Temperature { path: owned(), temperature: info.temperature });
        }
        let network =
            info.network.blank(device).map_err(|source| ModelError::Network { path: owned(), source })?;
        let memory = Memory::taken_from(&mut tensors, network.feature_count())
            .and_then(|memory| memory.checked(&info))
            .map_err(|reason| ModelError::Memory { path: owned(), reason })?;
        let network = network
            .with_state_dict(tensors)
            .map_err(|source| ModelError::Weights { path: owned(), source })?;
        Ok(Bundle { network, info, memory })
    }
}
