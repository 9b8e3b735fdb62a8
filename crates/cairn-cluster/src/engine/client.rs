//! Labels all shards of a plan by a cluster.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_label::{Counts, Event, Outcome, Plan, Store, TRIES};
use tokio::runtime::{Builder, Runtime};

use super::readiness::executors;
use super::submission::{Progress, Submission, outcomes};
use crate::{ClusterError, Job, SchedulerAddress, ShardOutcome, Stop};

/// How often the output is listed at most, to tell how far it is.
const LIST: Duration = Duration::from_secs(10);
/// A listing may take this share of the time.
const LISTING: u32 = 20;

/// A command that has a cluster label.
#[derive(Debug)]
pub struct ClusterClient<'a> {
    /// The scheduler.
    pub scheduler: &'a SchedulerAddress,
    /// The plan.
    pub plan: &'a Plan,
    /// The plan as executors are told of it.
    pub job: Job,
    /// The output.
    pub out: &'a dyn Store,
}

/// Who is told what happens.
type Tell<'a> = &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>;

/// How a round ends.
enum Round {
    /// With these outcomes, as far as they can be had.
    Done(Vec<ShardOutcome>),
    /// It has failed, and another may not.
    Failed(String),
    /// Somebody wants an end.
    Stopped,
}

impl ClusterClient<'_> {
    /// Has all shards done that are not done, and finishes the output once all are. What is left after a round, whatever was the
    /// matter, is handed in again, four times in all without one shard done.
    ///
    /// The truth is in the output: an outcome that is lost with its executor is read from the shard's file.
    ///
    /// # Errors
    /// When the scheduler does not answer, an executor refuses, or the output cannot be listed or finished.
    pub fn label_all(&self, stop: &Stop, tell: Tell<'_>) -> Result<Outcome, ClusterError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let shards = self.plan.shards.len();
        let mut open = self.plan.missing(self.out)?;
        let mut known = vec![None; shards];
        let mut watch = Watch::new(self.plan, &open);
        let mut tries = 0;
        let _ = tell(Event::Started { done: shards - open.len(), shards });
        while !open.is_empty() && tries < TRIES {
            let round = self.round(&runtime, &mut open, &mut watch, stop, tell)?;
            let left = self.plan.missing(self.out)?;
            // Whoever is left after a round that did others has been tried once.
            tries = if left.len() < open.len() { 1 } else { tries + 1 };
            let again = tries < TRIES;
            open = left;
            watch.tell(&open, tell);
            match round {
                Round::Done(outcomes) => {
                    for outcome in outcomes {
                        tell_outcome(&outcome, again, tell);
                        if let (Some(known), Ok(report)) = (known.get_mut(outcome.index), outcome.done) {
                            *known = Some(report.counts);
                        }
                    }
                }
                Round::Failed(reason) => {
                    let then =
                        if again { "what is left is handed in again" } else { "what is left is left out" };
                    let _ = tell(Event::Trouble {
                        reason: &format!("the cluster's job failed: {reason}; {then}"),
                    });
                }
                Round::Stopped => {
                    let done = shards - open.len();
                    return Ok(Outcome {
                        counts: Counts::default(),
                        done,
                        failed: Vec::new(),
                        stopped: true,
                    });
                }
            }
        }
        let counts = self.plan.sum(self.out, &known)?;
        if open.is_empty() {
            self.plan.finish(self.out, counts)?;
        }
        Ok(Outcome { counts, done: shards - open.len(), failed: open.into(), stopped: false })
    }

    /// Hands in these shards, and waits for them.
    fn round(
        &self,
        runtime: &Runtime,
        open: &mut VecDeque<usize>,
        watch: &mut Watch<'_>,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Round, ClusterError> {
        let job = Arc::new(self.job.clone());
        let mut submission =
            runtime.block_on(Submission::submit(self.scheduler, job, open.make_contiguous()))?;
        loop {
            if stop() {
                // Whether it can be told or not.
                drop(runtime.block_on(submission.cancel()));
                return Ok(Round::Stopped);
            }
            match runtime.block_on(submission.ask())? {
                Progress::Running => watch.look(self, tell),
                Progress::Done(places) => {
                    let (outcomes, trouble) = runtime.block_on(outcomes(places));
                    if let Some(trouble) = trouble {
                        let reason = format!(
                            "an executor is gone that knew more of its shards ({trouble}); their files tell"
                        );
                        let _ = tell(Event::Trouble { reason: &reason });
                    }
                    return Ok(Round::Done(outcomes));
                }
                Progress::Failed(failure) if failure.is_refusal => {
                    return Err(ClusterError::Refused(failure.words));
                }
                Progress::Failed(failure) => return Ok(Round::Failed(failure.words)),
            }
        }
    }
}

/// Tells what only the executor knows: which photos could not be read, and why a shard failed.
fn tell_outcome(outcome: &ShardOutcome, again: bool, tell: Tell<'_>) {
    for (name, reason) in &outcome.bad {
        let _ = tell(Event::Photo { bad: Some((name, reason)) });
    }
    if let Err(reason) = &outcome.done {
        let error = io::Error::other(reason.as_str());
        let _ = tell(Event::Failed { index: outcome.index, error: &error, again });
    }
}

/// Looks now and then how far a labelling is.
struct Watch<'a> {
    plan: &'a Plan,
    next: Instant,
    /// Photos of the shards that were open at the beginning.
    photos: u64,
    /// Shards that are open.
    open: usize,
    /// Whether it was told that there is no executor.
    is_told: bool,
}

impl<'a> Watch<'a> {
    fn new(plan: &'a Plan, open: &VecDeque<usize>) -> Self {
        let mut new = Self { plan, next: Instant::now(), photos: 0, open: open.len(), is_told: false };
        new.photos = new.rows(open);
        new
    }

    /// Photos in these shards, as far as their lists say.
    fn rows(&self, shards: &VecDeque<usize>) -> u64 {
        shards.iter().filter_map(|&shard| self.plan.shards[shard].cut.rows).sum()
    }

    fn tell(&mut self, open: &VecDeque<usize>, tell: Tell<'_>) {
        if open.len() != self.open {
            (self.open, self.is_told) = (open.len(), false);
            let photos = self.photos.saturating_sub(self.rows(open));
            let _ = tell(Event::Elsewhere { done: self.plan.shards.len() - open.len(), photos });
        }
    }

    fn look(&mut self, client: &ClusterClient<'_>, tell: Tell<'_>) {
        let began = Instant::now();
        if began < self.next {
            return;
        }
        let before = self.open;
        // An output that cannot be listed now may be at the end.
        if let Ok(open) = self.plan.missing(client.out) {
            self.tell(&open, tell);
        }
        if self.open == before && !self.is_told && executors(client.scheduler) == Some(0) {
            self.is_told = true;
            let scheduler = client.scheduler;
            let reason = format!(
                "{scheduler} has no executor; shards wait for one: `cairn cluster executor --scheduler {scheduler}`"
            );
            let _ = tell(Event::Trouble { reason: &reason });
        }
        self.next = Instant::now() + LIST.max(began.elapsed() * LISTING);
    }
}
