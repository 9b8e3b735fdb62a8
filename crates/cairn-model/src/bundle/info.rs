//! What a bundle says of its model, beside the weights.

use cairn_dataset::ClassList;
use cairn_nets::NetworkSpec;
use cairn_photo::{Preprocess, TestViews};
use serde::{Deserialize, Deserializer, Serialize};

use super::backbone::Backbone;
use crate::{Conformal, FewShot, Rejection};

/// What a bundle says of its model, beside the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// The network.
    pub network: NetworkSpec,
    /// The classes, in the order of the logits.
    pub classes: ClassList,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// The views of a photo that the model averages by default.
    #[serde(default, skip_serializing_if = "TestViews::is_one")]
    pub views: TestViews,
    /// How photos that show none of the classes are recognised; `None` if the model cannot do that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// The classes that were added without training, once the model is calibrated for that. (Under `learning`, bundles
    /// of before this name had numbers of another meaning.)
    #[serde(rename = "few_shot", default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<FewShot>,
    /// How all layers but the last one were trained; `None` in bundles older than this field, and for imported weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backbone: Option<Backbone>,
    /// What the logits are divided by before the softmax, so that probabilities are calibrated: greater than 0, and 1
    /// in a model that is not calibrated.
    #[serde(default = "uncalibrated")]
    pub temperature: f64,
    /// The sets of landmarks that it offers; `None` in bundles older than this field, and until the model is calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
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

/// A number; JSON has `null` for NaN.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
