//! All shards, one after the other: what one machine does, and each of several that share an output.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde::Serialize;

use crate::LabelError;
use crate::settings::Settings;
use crate::shard::{Labeller, ShardError, ShardReport};
use crate::store::StoreError;
use crate::table::Counts;

/// Says how much there is, once there is nothing left to do.
pub const MANIFEST: &str = "_manifest.json";
/// Is there once all shards are. Spark and Hadoop name theirs so.
pub const SUCCESS: &str = "_SUCCESS";

/// How often a shard is tried.
const TRIES: usize = 4;

/// What happens.
#[derive(Debug)]
pub enum Event<'a> {
    /// The work begins; so many of all shards were done before.
    Started {
        /// Shards that are done.
        done: usize,
        /// All shards.
        shards: usize,
    },
    /// A photo was looked at.
    Photo {
        /// Of one that could not be read, its name and why.
        bad: Option<(&'a str, &'a str)>,
    },
    /// A shard is done.
    Shard {
        /// Its number.
        index: usize,
        /// Its rows.
        report: ShardReport,
    },
    /// A shard failed.
    Failed {
        /// Its number.
        index: usize,
        /// Why.
        error: &'a ShardError,
        /// Whether it is tried again.
        again: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Rows of all shards that are done, before or now.
    pub counts: Counts,
    /// Shards that are done.
    pub done: usize,
    /// Shards that failed each time.
    pub failed: Vec<usize>,
    /// Whether somebody asked to stop.
    pub stopped: bool,
}

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

impl Labeller<'_> {
    /// Does all shards that are not done, and finishes the output once all are. `tell` is told what happens, and may stop it
    /// after any photo.
    ///
    /// # Errors
    /// When the output cannot be listed or finished. A shard that fails is told, and tried again when the others are done.
    pub fn label_all(
        &self,
        tell: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, LabelError> {
        let there = self.out.list()?;
        let shards = self.plan.shards.len();
        let mut open: VecDeque<usize> =
            (0..shards).filter(|&index| !there.contains_key(&self.plan.part_name(index))).collect();
        let mut outcome = Outcome {
            counts: Counts::default(),
            done: shards - open.len(),
            failed: Vec::new(),
            stopped: false,
        };
        let mut known = vec![None; shards];
        let _ = tell(Event::Started { done: outcome.done, shards });
        for attempt in 1..=TRIES {
            while let Some(index) = open.pop_front() {
                match self.label_shard(index, &mut |bad| tell(Event::Photo { bad })) {
                    Ok(report) => {
                        known[index] = Some(report.counts);
                        outcome.done += 1;
                        if !report.written {
                            // Somebody else is here, and goes the same way: go on elsewhere.
                            open.rotate_left(open.len() / 2);
                        }
                        let _ = tell(Event::Shard { index, report });
                    }
                    Err(ShardError::Stopped) => {
                        outcome.stopped = true;
                        return Ok(outcome);
                    }
                    Err(error) => {
                        let _ = tell(Event::Failed { index, error: &error, again: attempt < TRIES });
                        outcome.failed.push(index);
                    }
                }
            }
            if attempt < TRIES {
                open = std::mem::take(&mut outcome.failed).into();
            }
        }
        outcome.failed.sort_unstable();
        for (index, known) in known.into_iter().enumerate() {
            if let Some(counts) = known.map_or_else(|| self.counts(index), |counts| Ok(Some(counts)))? {
                outcome.counts += counts;
            }
        }
        if outcome.failed.is_empty() {
            self.finish(outcome.counts)?;
        }
        Ok(outcome)
    }

    fn finish(&self, counts: Counts) -> Result<(), StoreError> {
        let manifest = Manifest {
            cairn: env!("CARGO_PKG_VERSION"),
            settings: &self.plan.settings,
            lists: self.plan.inputs.iter().map(|input| input.name.as_str()).collect(),
            shards: self.plan.shards.len(),
            counts,
        };
        let place = || format!("{}/{MANIFEST}", self.out.name());
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from);
        let bytes = bytes.map_err(|source| StoreError { place: place(), what: "written", source })?;
        self.out.put_new(MANIFEST, &bytes)?;
        self.out.put_new(SUCCESS, &[])?;
        self.out.sweep()
    }
}
