//! What a network in 8 bits is beside its weights.

use std::collections::{BTreeMap, BTreeSet};

use cairn_kernels::int8::Quantisation;
use serde::{Deserialize, Serialize};

use crate::StateDictError;
use crate::graph::GraphError;

/// What a network in 8 bits is beside its weights: what the levels of each map mean, and which layers are not in 8 bits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Int8Settings {
    /// By the name of the graph's node whose output the map is.
    pub ranges: BTreeMap<String, LevelScale>,
    /// The layers that compute in floats, by their path, such as `layer1.0.conv1`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub float: BTreeSet<String>,
}

/// What the levels of a map mean: `(level - zero) * scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelScale {
    /// From one level to the next.
    pub scale: f32,
    /// The level of zero.
    pub zero: u8,
}

/// Why a network cannot be computed in 8 bits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantiseError {
    /// The graph and the tensors do not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Tensors that do not fit the network.
    #[error(transparent)]
    Tensors(#[from] StateDictError),
    /// Nothing says what the levels of a map mean.
    #[error("nothing says what the levels of `{0}` mean")]
    Range(String),
    /// A scale that no levels can have, or weights that are too large for it.
    #[error("the scales of `{0}` are no numbers that levels can have")]
    Scale(String),
    /// An 8-bit weight of another shape than the layer has.
    #[error("the 8-bit weights of `{0}` do not fit the layer")]
    Weights(String),
    /// A layer in floats that the network does not have.
    #[error("the network has no layer `{0}`")]
    Layer(String),
    /// No photo was looked at.
    #[error("no photo to measure activations on")]
    NoPhotos,
}

impl LevelScale {
    /// The quantisation, if levels can have this scale.
    pub(super) fn quantisation(self) -> Option<Quantisation> {
        let Self { scale, zero } = self;
        let sound = scale > 0.0 && scale.is_normal() && scale.recip().is_normal();
        sound.then_some(Quantisation { scale, zero_point: zero })
    }
}

impl From<Quantisation> for LevelScale {
    fn from(Quantisation { scale, zero_point }: Quantisation) -> Self {
        Self { scale, zero: zero_point }
    }
}
