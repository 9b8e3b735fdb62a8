//! What the engine of a cluster logs, as lines on standard error.

use log::{LevelFilter, Log, Metadata, Record};

use crate::progress::say;

/// Crates whose warnings tell people something that they can do something about.
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

/// From here on, warnings and errors of the engine are lines on standard error; with `all`, whatever it has to say is.
pub(crate) fn show(all: bool) {
    log::set_max_level(if all { LevelFilter::Info } else { LevelFilter::Warn });
    // Nobody else sets one.
    let _ = log::set_logger(&Lines);
}
