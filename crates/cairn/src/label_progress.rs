//! What a person sees while a list is labelled.

use std::time::Instant;

use cairn_label::Plan;
use indicatif::ProgressBar;

use crate::progress::{PLAIN_EVERY, bar, say};

/// Photos that could not be read and are named one by one; the others are counted. Each is a row with its error.
const NAMED: usize = 20;

/// Tells a person how a labelling goes: a bar on a terminal, lines elsewhere.
pub(crate) struct LabelProgress {
    bar: ProgressBar,
    began: Instant,
    said: Instant,
    /// Photos that have been looked at.
    photos: u64,
    bad: usize,
    done: usize,
    shards: usize,
}

impl LabelProgress {
    pub(crate) fn new(plan: &Plan) -> Self {
        // The photos of a tar file are not known before.
        let photos: Option<u64> = plan.shards.iter().map(|shard| shard.cut.rows).sum();
        let bar = bar(photos.unwrap_or_default() as usize, "photos");
        if photos.is_none() {
            bar.unset_length();
        }
        let now = Instant::now();
        Self { bar, began: now, said: now, photos: 0, bad: 0, done: 0, shards: plan.shards.len() }
    }

    pub(crate) fn begin(&mut self, done: usize, shards: usize) {
        (self.done, self.shards) = (done, shards);
        if done > 0 {
            self.line(&format!("{done} of {shards} shards done before"));
        }
    }

    pub(crate) fn photo(&mut self, bad: Option<(&str, &str)>) {
        if let Some((name, reason)) = bad {
            self.bad(name, reason);
        }
        self.photos += 1;
        self.bar.inc(1);
        self.say_rate();
    }

    /// A photo could not be read.
    fn bad(&mut self, name: &str, reason: &str) {
        self.bad += 1;
        match self.bad {
            ..=NAMED => self.line(&format!("left out: {name}: {reason}")),
            more if more == NAMED + 1 => {
                self.line("further photos that cannot be read are not named here; their rows say why");
            }
            _ => {}
        }
    }

    /// Others have done so many shards in all, and so many photos since this began.
    pub(crate) fn elsewhere(&mut self, done: usize, photos: u64) {
        (self.done, self.photos) = (done, photos);
        self.bar.set_position(photos);
        self.say_shards();
        self.say_rate();
    }

    fn say_rate(&mut self) {
        if self.bar.is_hidden() && self.said.elapsed() >= PLAIN_EVERY {
            let rate = self.photos as f64 / self.began.elapsed().as_secs_f64();
            say(format!(
                "{} photos, {rate:.1} a second; {} of {} shards",
                self.photos, self.done, self.shards
            ));
            self.said = Instant::now();
        }
    }

    pub(crate) fn shard(&mut self) {
        self.done += 1;
        self.say_shards();
    }

    fn say_shards(&self) {
        self.bar.set_message(format!("{} of {} shards, photos", self.done, self.shards));
    }

    pub(crate) fn line(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
