//! The section `[network]`.

use std::path::PathBuf;

use cairn_nets::{Architecture, Init, Pooling};
use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// The network and its first weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecipe {
    /// Which network.
    pub architecture: Architecture,
    /// Share of values that dropout sets to zero, in `[0, 1)`.
    pub dropout: f64,
    /// How its last map becomes features: `"average"` (the default) or `"gem"`, in networks that end in an average pool.
    #[serde(default, skip_serializing_if = "Pooling::is_average")]
    pub pooling: Pooling,
    /// How its weights are initialised.
    #[serde(default)]
    pub init: Init,
    /// Weights to begin with in place of random ones. The final layer is re-initialised if the class count differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<FirstWeights>,
    /// A model to blend those weights with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blend: Option<Blend>,
}

/// First weights between given weights and those of a model that was fine-tuned from them
/// ([`StateDict::blended`](cairn_nets::StateDict::blended)).
///
/// Features of such a network separate the model's classes nearly as well as the model's own do, and other classes better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// A model file or run folder, relative to the working directory.
    pub with: PathBuf,
    /// Share of the model's weights, above 0 and below 1.
    pub share: f32,
}

impl Blend {
    /// Checks that `share` is in range.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let fault = format!("network.blend.share is {}; it must be between 0 and 1", self.share);
        RecipeError::check([(self.share > 0.0 && self.share < 1.0, fault)])
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
