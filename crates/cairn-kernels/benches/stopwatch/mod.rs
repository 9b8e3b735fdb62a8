//! Times a kernel until the time is stable enough, and prints its median with what it does a second.

use std::hint::black_box;
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(200);
const MEASURED: Duration = Duration::from_millis(600);

/// What one call does.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Floating-point operations.
    Operations(usize),
    /// Bytes that are read and written.
    Bytes(usize),
}

/// A list of kernels under one heading. Only kernels are timed whose `heading: kernel` holds the text that is given on the
/// command line.
pub(crate) struct Group {
    heading: String,
    wanted: Option<String>,
}

impl Group {
    pub(crate) fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), wanted: std::env::args().skip(1).find(|word| !word.starts_with('-')) }
    }

    pub(crate) fn time<T>(&self, kernel: &str, work: Work, mut call: impl FnMut() -> T) {
        let name = format!("{}: {kernel}", self.heading);
        if self.wanted.as_ref().is_some_and(|wanted| !name.contains(wanted)) {
            return;
        }
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            black_box(call());
        }
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < MEASURED {
            let call_start = Instant::now();
            black_box(call());
            times.push(call_start.elapsed());
        }
        times.sort_unstable();
        let (fastest, median) = (times[0].as_secs_f64(), times[times.len() / 2].as_secs_f64());
        let rate = match work {
            Work::Operations(count) => format!("{:7.1} GFLOP/s", count as f64 / median / 1e9),
            Work::Bytes(count) => format!("{:7.1} GB/s", count as f64 / median / 1e9),
        };
        println!("{name:<60} {:9.3} ms (fastest {:9.3}) {rate}", median * 1e3, fastest * 1e3);
    }
}
