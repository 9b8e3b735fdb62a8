//! What a person sees while a library is scanned: a bar on a terminal, plain lines elsewhere.

use cairn_dataset::path_text;
use std::time::{Duration, Instant};

use cairn_dataset::escape::shown;
use cairn_library::scan::ScanEvent;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::say;

/// How often a scan that is not watched on a terminal says where it is.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// A bar over the files that are to be read, with their rate and the time left.
pub(crate) struct ScanProgress {
    bar: ProgressBar,
    began: Option<Instant>,
    said: Instant,
}

impl ScanProgress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{pos} files walked"));
        Self { bar, began: None, said: Instant::now() }
    }

    pub(crate) fn tell(&mut self, event: ScanEvent) {
        match event {
            ScanEvent::Walking { files } => {
                self.bar.set_position(files);
                self.plain(|| format!("{files} files walked"));
            }
            ScanEvent::Walked { files, to_read } => {
                self.line(&format!("{files} files walked, {to_read} to read"));
                self.bar.set_style(style("[{bar:30}] {pos}/{len} files, {per_sec}, {eta} left{msg}"));
                self.bar.reset();
                self.bar.set_length(to_read);
                self.began = Some(Instant::now());
            }
            ScanEvent::Reading { done, total, bytes } => {
                self.bar.set_position(done);
                self.bar.set_message(format!(", {}", HumanBytes(bytes)));
                let took = self.began.map_or(Duration::ZERO, |began| began.elapsed());
                self.plain(|| reading_line(done, total, bytes, took));
            }
            ScanEvent::Unreadable { path, reason } => self.line(&format!("{}: {reason}", path_text(&path))),
            ScanEvent::Quarantined { path } => self.line(&format!(
                "{}: cairn ended twice while it read this file, so it is left out (--retry-quarantined tries again)",
                path_text(&path)
            )),
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, line: &str) {
        if self.bar.is_hidden() { say(line) } else { self.bar.println(shown(line)) }
    }

    /// Now and then, where there is no bar.
    fn plain(&mut self, line: impl FnOnce() -> String) {
        if self.bar.is_hidden() && self.said.elapsed() >= PLAIN_EVERY {
            say(line());
            self.said = Instant::now();
        }
    }
}

/// `1200 of 5000 files read (3.4 GiB), 20.5 a second, 3 min left`
fn reading_line(done: u64, total: u64, bytes: u64, took: Duration) -> String {
    let rate = done as f64 / took.as_secs_f64().max(1e-3);
    let left = if rate > 0.0 { total.saturating_sub(done) as f64 / rate } else { 0.0 };
    let left = match left {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    };
    format!("{done} of {total} files read ({}), {rate:.1} a second, {left} left", HumanBytes(bytes))
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a wrong one would show itself at once as the default bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_the_rate_and_the_time_left() {
        let line = |done, total| reading_line(done, total, 3 << 20, Duration::from_secs(10));
        assert_eq!(line(100, 200), "100 of 200 files read (3.00 MiB), 10.0 a second, 10 s left");
        assert_eq!(line(100, 10_000), "100 of 10000 files read (3.00 MiB), 10.0 a second, 16 min left");
        assert_eq!(line(100, 100_000), "100 of 100000 files read (3.00 MiB), 10.0 a second, 2.8 h left");
        assert_eq!(line(0, 10), "0 of 10 files read (3.00 MiB), 0.0 a second, 0 s left");
    }
}
