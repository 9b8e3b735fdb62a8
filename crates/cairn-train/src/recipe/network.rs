//! The section `[network]`.

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
}
