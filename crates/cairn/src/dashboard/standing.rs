//! What a training has told so far.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use cairn_train::{Event, History};

use crate::progress::TrainingWords;

/// Messages that are kept: more than any terminal shows.
const MESSAGES: usize = 200;

/// What a training has told so far.
pub(super) struct Standing {
    /// What the run is called.
    pub title: String,
    /// Epochs at most.
    pub epochs: usize,
    /// The whole epochs.
    pub history: History,
    /// The batch that went through last.
    pub batch: Option<BatchStanding>,
    /// Photos gone through the frozen layers, and of how many, in a linear probe that has not begun to learn.
    pub features: Option<(usize, usize)>,
    /// The last message last.
    pub messages: VecDeque<String>,
    /// Messages that name photos left out.
    pub left_out: Vec<String>,
    pub words: TrainingWords,
    /// Whether a stop was asked for.
    pub stopping: bool,
    /// Whether the training is over.
    pub closed: bool,
    train_photos: usize,
    pace: Option<Pace>,
}

/// The progress of the current epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BatchStanding {
    /// Counted from 1.
    pub epoch: usize,
    /// Counted from 1.
    pub batch: usize,
    pub batches: usize,
    /// Mean of the epoch so far.
    pub loss: f64,
    /// Of the epoch so far, in `[0, 1]`.
    pub accuracy: f64,
    /// Share of the training that is done, in `[0, 1]`.
    pub progress: f64,
}

/// The first batch of this sitting and of this epoch, and when they had gone through.
struct Pace {
    began: Instant,
    progress: f64,
    epoch_began: Instant,
    epoch: usize,
    batch: usize,
}

impl Standing {
    pub(super) fn new(title: String, epochs: usize, history: History) -> Self {
        Self {
            title,
            epochs,
            history,
            batch: None,
            features: None,
            messages: VecDeque::new(),
            left_out: Vec::new(),
            words: TrainingWords::new(epochs),
            stopping: false,
            closed: false,
            train_photos: 0,
            pace: None,
        }
    }

    pub(super) fn note(&mut self, event: &Event<'_>) {
        let lines = self.words.of(event);
        match *event {
            Event::Started { train_photos, .. } => self.train_photos = train_photos,
            Event::Batch { epoch, batch, batches, loss, accuracy, progress } => {
                self.batch = Some(BatchStanding { epoch, batch, batches, loss, accuracy, progress });
                self.note_pace(epoch, batch, progress);
            }
            Event::Epoch { record, .. } => self.history.push(record.clone()),
            Event::BadPhoto(_) => self.left_out.extend(lines.iter().cloned()),
            Event::Features { done, total } => self.features = (done < total).then_some((done, total)),
            Event::FirstWeights(_) | Event::CacheTrouble(_) => {}
        }
        self.messages.extend(lines);
        let surplus = self.messages.len().saturating_sub(MESSAGES);
        self.messages.drain(..surplus);
    }

    fn note_pace(&mut self, epoch: usize, batch: usize, progress: f64) {
        let now = Instant::now();
        match &mut self.pace {
            None => self.pace = Some(Pace { began: now, progress, epoch_began: now, epoch, batch }),
            Some(pace) if pace.epoch != epoch => {
                (pace.epoch_began, pace.epoch, pace.batch) = (now, epoch, batch);
            }
            Some(_) => {}
        }
    }

    /// Photos a second in the epoch under way; of the last whole one before its second batch.
    pub(super) fn photos_per_second(&self) -> Option<f64> {
        let live = || {
            let (pace, at) = (self.pace.as_ref()?, self.batch?);
            let batches = at.batch.checked_sub(pace.batch).filter(|&batches| batches > 0)?;
            let photos = self.train_photos as f64 * batches as f64 / at.batches as f64;
            Some(photos / pace.epoch_began.elapsed().as_secs_f64())
        };
        live().or_else(|| Some(self.history.epochs().last()?.photos_per_second))
    }

    /// The time that is left if it goes on as in this sitting so far.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let (pace, at) = (self.pace.as_ref()?, self.batch?);
        let done = at.progress - pace.progress;
        let seconds = pace.began.elapsed().as_secs_f64() * (1.0 - at.progress) / done;
        (done > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
    }
}
