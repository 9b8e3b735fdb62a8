//! How the last map of a network becomes a vector.

use serde::{Deserialize, Serialize};

/// How the last map of a network becomes a vector: by which mean over its pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The mean of each channel.
    #[default]
    Average,
    /// The generalised mean of each channel, `mean(max(x, 1e-6) ^ p) ^ (1 / p)`: GeM (Radenovic et al. 2018,
    /// <https://arxiv.org/abs/1711.02512>). The power `p` begins at 3 and is learned. Values below zero count as none.
    Gem,
}

impl Pooling {
    /// The name of GeM's power in the state dict: a tensor of one value.
    pub const POWER: &'static str = "pool.p";

    /// Whether it is the ordinary mean.
    pub fn is_average(&self) -> bool {
        *self == Self::Average
    }
}
