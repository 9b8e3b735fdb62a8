//! What the engine of a cluster logs, as lines on standard error.

use log::{LevelFilter, Log, Metadata, Record};

use crate::progress::say;

/// What the names of its crates begin with.
const OF_ENGINE: &str = "ballista";

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(OF_ENGINE)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            say(format!("{}: {}", record.level().as_str().to_lowercase(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// From here on, what the engine says is lines on standard error.
pub(crate) fn show() {
    log::set_max_level(LevelFilter::Info);
    // Nobody else sets one.
    let _ = log::set_logger(&Lines);
}
