//! What a person sees while something runs: bars on a terminal, plain lines elsewhere; always on standard error.

use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cairn_dataset::BadPhoto;
use cairn_dataset::escape::shown;
use cairn_nets::HeadFit;
use cairn_train::{EpochRecord, Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// How often a run without a terminal prints its progress.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// A line on standard error, above a bar if there is one; one line, whatever the names in it hold.
pub(crate) fn say(line: impl AsRef<str>) {
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{}\n", shown(line.as_ref())));
}

/// A bar over `total` things called `what`; invisible when standard error is not a terminal.
pub(crate) fn bar(total: usize, what: &str) -> ProgressBar {
    // An error that ends the work must not leave the bar on the terminal.
    let bar =
        ProgressBar::with_draw_target(Some(total as u64), target()).with_finish(ProgressFinish::AndClear);
    bar.set_style(style("{msg} [{bar:30}] {pos}/{len}"));
    bar.set_message(what.to_owned());
    bar
}

/// Tells a bar how many things are done, and of how many.
pub(crate) fn advance(bar: &ProgressBar, done: usize, total: usize) {
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}

fn target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a wrong one would show itself at once as the default bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// Tells a person how a training goes: a bar on a terminal, lines.
pub(crate) struct TrainingProgress {
    bar: ProgressBar,
    said: Instant,
    words: TrainingWords,
}

impl TrainingProgress {
    /// For a training of at most `epochs` epochs.
    pub(crate) fn new(epochs: usize) -> Self {
        let bar = ProgressBar::with_draw_target(None, target());
        Self { bar, said: Instant::now(), words: TrainingWords::new(epochs) }
    }

    /// How many photos were left out.
    pub(crate) fn bad_photos(&self) -> usize {
        self.words.bad_photos()
    }

    fn line(&self, line: &str) {
        if self.bar.is_hidden() { say(line) } else { self.bar.println(shown(line)) }
    }

    fn batch(&mut self, epoch: usize, batch: usize, batches: usize, loss: f64, accuracy: f64, progress: f64) {
        let figures = format!("loss {loss:.3}, {:.1}% right", accuracy * 100.0);
        if !self.bar.is_hidden() {
            self.bar.set_length(batches as u64);
            self.bar.set_position(batch as u64);
            self.bar.set_message(format!("{figures}; {:.0}% of the training", progress * 100.0));
        } else if self.said.elapsed() >= PLAIN_EVERY {
            say(format!("epoch {epoch}, batch {batch}/{batches}: {figures}"));
            self.said = Instant::now();
        }
    }
}

impl Observer for TrainingProgress {
    fn on_event(&mut self, event: Event<'_>) {
        for line in self.words.of(&event) {
            self.line(&line);
        }
        match event {
            Event::Started { .. } => self.bar.set_style(style("[{bar:30}] {pos}/{len} batches, {msg}")),
            Event::Features { done, total } => {
                self.bar.set_length(total as u64);
                self.bar.set_position(done as u64);
                self.bar.set_message("photos through the frozen layers");
            }
            Event::Batch { epoch, batch, batches, loss, accuracy, progress } => {
                self.batch(epoch, batch, batches, loss, accuracy, progress);
            }
            Event::Epoch { .. } => self.said = Instant::now(),
            Event::FirstWeights(_) | Event::BadPhoto(_) | Event::CacheTrouble(_) => {}
        }
    }
}

impl Drop for TrainingProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is said of a training's events.
pub(crate) struct TrainingWords {
    epochs: usize,
    /// Photos that were named already: each is tried again in every epoch.
    bad: HashSet<PathBuf>,
    /// Whether it was said how many.
    counted: bool,
}

impl TrainingWords {
    /// For a training of at most `epochs` epochs.
    pub(crate) fn new(epochs: usize) -> Self {
        Self { epochs, bad: HashSet::new(), counted: false }
    }

    /// How many photos were left out.
    pub(crate) fn bad_photos(&self) -> usize {
        self.bad.len()
    }

    /// The lines that an event is worth.
    pub(crate) fn of(&mut self, event: &Event<'_>) -> Vec<String> {
        match event {
            Event::Started { train_photos, valid_photos, parameters, epoch } => {
                let mut lines = vec![format!(
                    "{train_photos} training photos, {valid_photos} validation photos; {:.2} million parameters",
                    *parameters as f64 / 1e6
                )];
                if *epoch > self.epochs {
                    lines.push("all epochs of this run are done already".to_owned());
                } else if *epoch > 1 {
                    lines.push(format!("going on with epoch {epoch}"));
                }
                lines.push(
                    "each epoch: loss and share of photos named right, in training and in validation"
                        .to_owned(),
                );
                lines
            }
            Event::FirstWeights(HeadFit::Taken) => {
                vec!["began with the given weights, the last layer's too".to_owned()]
            }
            Event::FirstWeights(HeadFit::Replaced { classes }) => {
                let theirs =
                    classes.map_or("has none".to_owned(), |classes| format!("is for {classes} classes"));
                vec![format!("began with the given weights; the last layer is new (theirs {theirs})")]
            }
            Event::Batch { .. } | Event::Features { .. } => Vec::new(),
            Event::BadPhoto(bad) if self.bad.insert(bad.path().to_owned()) => vec![left_out(bad)],
            Event::BadPhoto(_) => Vec::new(),
            Event::CacheTrouble(trouble) => vec![format!("decoded photos are no longer kept: {trouble}")],
            Event::Epoch { record, best_before } => {
                let mut lines = vec![epoch_line(record, self.epochs)];
                // In a later epoch there are no others, and in a resumed run the first is as good as any.
                if !std::mem::replace(&mut self.counted, true) && !self.bad.is_empty() {
                    let photos = if self.bad.len() == 1 { "photo" } else { "photos" };
                    lines.push(format!("  {} {photos} could not be read, as named above", self.bad.len()));
                }
                if record.best {
                    lines.push(saving_line(record.valid_loss, *best_before));
                }
                lines
            }
        }
    }
}

/// `left out: PATH: why`
pub(crate) fn left_out(bad: &BadPhoto) -> String {
    format!("left out: {}", bad.message())
}

fn epoch_line(record: &EpochRecord, epochs: usize) -> String {
    format!(
        "epoch {}/{epochs}  train {:.3} {:.1}%  validation {:.3} {:.1}%  rate {:.1e}  {:.0} photos/s, {:.0}% waiting",
        record.epoch,
        record.train_loss,
        record.train_accuracy * 100.0,
        record.valid_loss,
        record.valid_accuracy * 100.0,
        record.learning_rate,
        record.photos_per_second,
        record.data_wait * 100.0,
    )
}

/// As System C prints it.
fn saving_line(loss: f64, best_before: f64) -> String {
    if best_before.is_finite() {
        format!("  validation loss decreased ({best_before:.4} --> {loss:.4}), saving the model")
    } else {
        format!("  first validation loss {loss:.4}, saving the model")
    }
}
