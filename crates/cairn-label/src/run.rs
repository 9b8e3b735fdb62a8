//! All shards, one after the other: what one machine does, and each of several that share an output.

use std::collections::VecDeque;
use std::error::Error;
use std::ops::ControlFlow;

use crate::LabelError;
use crate::reading::{Reading, ShardError};
use crate::shard::{Labeller, ShardReport};
use crate::table::Counts;

/// How often a shard is tried.
pub const TRIES: usize = 4;

/// What happens.
#[derive(Debug, Clone, Copy)]
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
        error: &'a (dyn Error + 'static),
        /// Whether it is tried again.
        again: bool,
    },
    /// Others work on the output.
    Elsewhere {
        /// Shards that are done by now.
        done: usize,
        /// Photos in those that were done since the work began, as far as the lists say how many.
        photos: u64,
    },
    /// Something went wrong that is no shard's fault; the work goes on.
    Trouble {
        /// What went wrong, and what to do.
        reason: &'a str,
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
        let mut open = self.plan.missing(self.out)?;
        let shards = self.plan.shards.len();
        let mut outcome = Outcome {
            counts: Counts::default(),
            done: shards - open.len(),
            failed: Vec::new(),
            stopped: false,
        };
        let mut known = vec![None; shards];
        let mut is_shared = false;
        let _ = tell(Event::Started { done: outcome.done, shards });
        for attempt in 1..=TRIES {
            let mut each = |event: Event<'_>| {
                match event {
                    Event::Shard { index, report } => {
                        known[index] = Some(report.counts);
                        outcome.done += 1;
                    }
                    Event::Failed { index, .. } => outcome.failed.push(index),
                    _ => {}
                }
                tell(event)
            };
            if self.label_each(open, &mut is_shared, attempt < TRIES, &mut each).is_break() {
                outcome.stopped = true;
                return Ok(outcome);
            }
            if attempt == TRIES || outcome.failed.is_empty() {
                break;
            }
            open = std::mem::take(&mut outcome.failed).into();
        }
        outcome.failed.sort_unstable();
        outcome.counts = self.plan.sum(self.out, &known)?;
        if outcome.failed.is_empty() {
            self.plan.finish(self.out, outcome.counts)?;
        }
        Ok(outcome)
    }

    /// Does these shards, one after the other, each once. The output is asked whether one is done only if it `is_shared`, which
    /// is seen here too. `again` is what is told of a shard that fails. It breaks off when somebody asks to stop.
    pub fn label_each(
        &self,
        shards: VecDeque<usize>,
        is_shared: &mut bool,
        again: bool,
        tell: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut queue = Queue { labeller: self, open: shards, next: None, is_shared: *is_shared };
        while let Some(begun) = queue.take() {
            let index = begun.0;
            match queue.label(begun, tell) {
                Ok(report) => {
                    if !report.written {
                        // Somebody else is here, and goes the same way: go on elsewhere.
                        queue.is_shared = true;
                        let half = queue.open.len() / 2;
                        queue.open.rotate_left(half);
                    }
                    let _ = tell(Event::Shard { index, report });
                }
                Err(error) if matches!(error, ShardError::Stopped) || self.stores.is_stopped() => {
                    return ControlFlow::Break(());
                }
                Err(error) => {
                    let _ = tell(Event::Failed { index, error: &error, again });
                }
            }
        }
        *is_shared = queue.is_shared;
        ControlFlow::Continue(())
    }
}
