//! What is done of a plan, and the end of it: the manifest, and the file that says that all is there.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::thread;

use serde::Serialize;

use crate::plan::Plan;
use crate::settings::Settings;
use crate::shard::counts_of;
use crate::store::{Store, StoreError};
use crate::table::Counts;

/// Says how much there is, once there is nothing left to do.
pub const MANIFEST: &str = "_manifest.json";
/// Is there once all shards are. Spark and Hadoop name theirs so.
pub const SUCCESS: &str = "_SUCCESS";

/// Footers that are read at once: in a store each takes as long as an answer.
const FOOTERS: usize = 16;

/// What the manifest says.
#[derive(Debug, Serialize)]
struct Manifest<'a> {
    cairn: &'static str,
    settings: &'a Settings,
    lists: Vec<&'a str>,
    shards: usize,
    #[serde(flatten)]
    counts: Counts,
}

impl Plan {
    /// The shards that have no file in the output yet, in order. The output is listed once.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn missing(&self, out: &dyn Store) -> Result<VecDeque<usize>, StoreError> {
        let there = out.list()?;
        Ok((0..self.shards.len()).filter(|&index| !there.contains_key(&self.part_name(index))).collect())
    }

    /// The counts of all shards that are done: those that are `known`, and of the others as their files have them.
    ///
    /// # Errors
    /// When a file cannot be read, or is not one that cairn wrote.
    pub fn sum(&self, out: &dyn Store, known: &[Option<Counts>]) -> Result<Counts, StoreError> {
        let mut sum = Counts::default();
        known.iter().flatten().for_each(|counts| sum += *counts);
        let unknown: Vec<String> = (0..known.len())
            .filter(|&index| known[index].is_none())
            .map(|index| self.part_name(index))
            .collect();
        for names in unknown.chunks(FOOTERS) {
            let counts: Vec<Result<Option<Counts>, StoreError>> = thread::scope(|scope| {
                let all: Vec<_> =
                    names.iter().map(|name| scope.spawn(move || counts_of(out, name))).collect();
                all.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
            });
            for counts in counts {
                sum += counts?.unwrap_or_default();
            }
        }
        Ok(sum)
    }

    /// Writes the manifest and `_SUCCESS` into an output in which all shards are.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(&self, out: &dyn Store, counts: Counts) -> Result<(), StoreError> {
        let manifest = Manifest {
            cairn: env!("CARGO_PKG_VERSION"),
            settings: &self.settings,
            lists: self.inputs.iter().map(|input| input.name.as_str()).collect(),
            shards: self.shards.len(),
            counts,
        };
        let place = || format!("{}/{MANIFEST}", out.name());
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from);
        let bytes = bytes.map_err(|source| StoreError { place: place(), what: "written", source })?;
        out.put_new(MANIFEST, &bytes)?;
        out.put_new(SUCCESS, &[])?;
        out.sweep()
    }
}
