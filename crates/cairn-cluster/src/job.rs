//! What is sent from machine to machine: what to label, and what came of a shard.

use std::fs;
use std::path::Path;

use cairn_dataset::path_text;
use cairn_label::{Input, ListPlace, Plan, ShardReport, place_for_others};
use serde::{Deserialize, Serialize};

use crate::ClusterError;

/// What to label, as an executor is told of it. It reads the plan in the output, and the photos where the lists say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The version of cairn that asks.
    pub(crate) cairn: String,
    /// The output: an absolute path, or an address.
    pub(crate) out: String,
    /// The identity of the plan in it.
    pub(crate) plan: String,
    /// Where the plan's lists are.
    pub(crate) lists: Vec<ListPlace>,
    /// A photo that whoever labels must see, too: an absolute path.
    pub(crate) photo: Option<String>,
    /// The content of the user's own file of places.
    pub(crate) places: Option<String>,
}

/// What came of a shard on an executor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardOutcome {
    /// Its number.
    pub index: usize,
    /// Its rows, or why it failed.
    pub done: Result<ShardReport, String>,
    /// The first of its photos that could not be read, by name, and why.
    pub bad: Vec<(String, String)>,
}

impl Job {
    /// The job of a plan whose output is at `out`, as the command names it; `places` is the user's own file of places.
    ///
    /// # Errors
    /// When another machine cannot be told where a list is, or a list or the places cannot be read.
    pub fn new(
        plan: &Plan,
        inputs: &[Input],
        out: &Path,
        places: Option<&Path>,
    ) -> Result<Self, ClusterError> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| ClusterError::Places { path: path_text(path), source })
        };
        let photo = plan.shards.first().map(|shard| inputs[shard.input].photo_for_others(shard.cut));
        Ok(Self {
            cairn: env!("CARGO_PKG_VERSION").to_owned(),
            out: place_for_others(out)?,
            plan: plan.identity(),
            lists: inputs.iter().map(Input::place_for_others).collect::<Result<_, _>>()?,
            photo: photo.transpose()?.flatten(),
            places: places.map(read).transpose()?,
        })
    }
}
