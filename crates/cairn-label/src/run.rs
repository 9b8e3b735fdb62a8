//! All shards, one after the other: what one machine does, and each of several that share an output.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread;

use serde::Serialize;

use crate::LabelError;
use crate::reading::{Reading, ShardError};
use crate::settings::Settings;
use crate::shard::{Labeller, ShardReport, counts_of};
use crate::store::StoreError;
use crate::table::Counts;

/// Says how much there is, once there is nothing left to do.
pub const MANIFEST: &str = "_manifest.json";
/// Is there once all shards are. Spark and Hadoop name theirs so.
pub const SUCCESS: &str = "_SUCCESS";

/// How often a shard is tried.
const TRIES: usize = 4;
/// Footers that are read at once: in a store each takes as long as an answer.
const FOOTERS: usize = 16;

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

/// Shards that are not done, in the order in which they are.
struct Queue<'a> {
    labeller: &'a Labeller<'a>,
    open: VecDeque<usize>,
    /// The shard whose photos are being read while those of the one before go through the network.
    next: Option<Begun<'a>>,
    /// Whether somebody else works on the same output, so that a shard may be done by now.
    is_shared: bool,
}

type Begun<'a> = (usize, Result<Reading<'a>, ShardError>);

impl<'a> Queue<'a> {
    /// The next shard.
    fn take(&mut self) -> Option<Begun<'a>> {
        self.next.take().or_else(|| self.begin())
    }

    fn begin(&mut self) -> Option<Begun<'a>> {
        let index = self.open.pop_front()?;
        Some((index, self.labeller.begin(index)))
    }

    /// Reads on in the next shard, as far as there is room.
    fn read_on(&mut self) {
        match &mut self.next {
            Some((_, Ok(reading))) => reading.read_ahead(),
            Some((_, Err(_))) => {}
            None => self.next = self.begin(),
        }
    }

    /// Does a shard. The output is asked whether it is done only if somebody else is there.
    fn label(
        &mut self,
        (index, reading): Begun<'a>,
        tell: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<ShardReport, ShardError> {
        if self.is_shared
            && let Some(counts) = self.labeller.counts(index)?
        {
            return Ok(ShardReport { counts, written: false });
        }
        let labeller = self.labeller;
        labeller.label_reading(index, reading?, &mut |bad| tell(Event::Photo { bad }), &mut || self.read_on())
    }
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
        let open: VecDeque<usize> =
            (0..shards).filter(|&index| !there.contains_key(&self.plan.part_name(index))).collect();
        let mut outcome = Outcome {
            counts: Counts::default(),
            done: shards - open.len(),
            failed: Vec::new(),
            stopped: false,
        };
        let mut queue = Queue { labeller: self, open, next: None, is_shared: false };
        let mut known = vec![None; shards];
        let _ = tell(Event::Started { done: outcome.done, shards });
        for attempt in 1..=TRIES {
            while let Some(begun) = queue.take() {
                let index = begun.0;
                match queue.label(begun, tell) {
                    Ok(report) => {
                        known[index] = Some(report.counts);
                        outcome.done += 1;
                        if !report.written {
                            // Somebody else is here, and goes the same way: go on elsewhere.
                            queue.is_shared = true;
                            let half = queue.open.len() / 2;
                            queue.open.rotate_left(half);
                        }
                        let _ = tell(Event::Shard { index, report });
                    }
                    Err(error) if matches!(error, ShardError::Stopped) || self.stores.is_stopped() => {
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
                queue.open = std::mem::take(&mut outcome.failed).into();
            }
        }
        outcome.failed.sort_unstable();
        outcome.counts = self.sum(&known)?;
        if outcome.failed.is_empty() {
            self.finish(outcome.counts)?;
        }
        Ok(outcome)
    }

    /// The counts of all shards that are done: of those that are not known, as their files have them.
    fn sum(&self, known: &[Option<Counts>]) -> Result<Counts, StoreError> {
        let mut sum = Counts::default();
        known.iter().flatten().for_each(|counts| sum += *counts);
        let unknown: Vec<String> = (0..known.len())
            .filter(|&index| known[index].is_none())
            .map(|index| self.plan.part_name(index))
            .collect();
        let out = self.out;
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
