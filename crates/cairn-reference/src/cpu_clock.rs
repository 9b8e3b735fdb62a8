//! Time that a thread computes: a limit that a busy machine does not break.

use std::fs;
use std::time::Duration;

/// How much this thread has computed since the clock was started. Time in which other threads and processes had the
/// processor does not count.
///
/// ```
/// let clock = cairn_reference::CpuClock::start();
/// assert!(clock.elapsed() < Some(std::time::Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CpuClock {
    start: Option<Duration>,
}

impl CpuClock {
    /// Starts a clock on this thread.
    pub fn start() -> Self {
        Self { start: computed() }
    }

    /// What this thread has computed since then; `None`, which is less than any limit, on other systems than Linux.
    pub fn elapsed(&self) -> Option<Duration> {
        Some(computed()?.saturating_sub(self.start?))
    }
}

/// What this thread has computed in all.
fn computed() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn waiting_is_no_computing() {
        let clock = CpuClock::start();
        sleep(Duration::from_millis(200));
        assert!(clock.elapsed() < Some(Duration::from_millis(100)), "{clock:?}");
    }
}
