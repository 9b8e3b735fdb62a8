//! The section `[network]`.

use std::path::PathBuf;

use cairn_nets::{Architecture, Init};
use serde::{Deserialize, Serialize};

/// The network and its first weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecipe {
    /// Which network.
    pub architecture: Architecture,
    /// Share of values that dropout sets to zero, in `[0, 1)`.
    pub dropout: f64,
    /// How its first weights are drawn.
    #[serde(default)]
    pub init: Init,
    /// Weights of another training to begin with, in place of drawn ones; a last layer for other classes begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<FirstWeights>,
    /// What another training made of those weights, mixed with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blend: Option<Blend>,
}

/// First weights that lie between given ones and those of a model that began with them: features of such a network tell
/// apart what that model learned nearly as well as its own, and know more of everything else
/// ([`StateDict::blended`](cairn_nets::StateDict::blended)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// A model file or run folder, relative to the working directory.
    pub with: PathBuf,
    /// How far from the given weights to the model's, above 0 and below 1.
    pub share: f32,
}

impl Blend {
    /// What is wrong with the figures, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let within = self.share > 0.0 && self.share < 1.0;
        (!within).then(|| format!("network.blend.share is {}; it must lie between 0 and 1", self.share))
    }
}

/// Where first weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FirstWeights {
    /// `"imagenet"`: those that torchvision publishes for this network.
    Imagenet,
    /// A `.safetensors`, `.pth` or `.pt` file.
    File(PathBuf),
}

impl From<String> for FirstWeights {
    fn from(text: String) -> Self {
        if text == "imagenet" { Self::Imagenet } else { Self::File(text.into()) }
    }
}

impl From<FirstWeights> for String {
    fn from(weights: FirstWeights) -> Self {
        match weights {
            FirstWeights::Imagenet => "imagenet".to_owned(),
            FirstWeights::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}
