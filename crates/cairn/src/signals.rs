//! Signals that ask for a stop: SIGINT (Ctrl-C), SIGTERM (`kill`, a system that shuts down) and SIGHUP (a terminal that is
//! closed).

use std::process;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cairn_train::Interrupt;

use crate::dashboard::screen;
use crate::progress::say;

/// What a training does yet when it is asked to stop.
pub(crate) const AFTER_BATCH: &str = "this batch, and saving (large photos take a while)";

/// SIGINT's number.
const INTERRUPT: u8 = 2;

/// Signals this soon after the first may be of the same reason: a terminal that is closed sends one, and its shell another.
const OF_ONE_REASON: Duration = Duration::from_secs(1);

/// The signal that asked for a stop first; Ctrl-C while none has.
static ASKED: AtomicU8 = AtomicU8::new(INTERRUPT);

/// The exit status of a program that a signal stopped, as shells report it: 128 and the signal's number.
pub(crate) fn exit_status() -> u8 {
    128 + ASKED.load(Ordering::Relaxed)
}

/// From here on, a signal requests a stop after what is `under_way`, such as "this batch", instead of ending the program. A
/// second one ends it at once, and files stay as they are: each is whole, since all are written beside and renamed.
pub(crate) fn stop_on_signals(under_way: &'static str) -> Result<Interrupt> {
    let interrupt = Interrupt::default();
    let handle = interrupt.clone();
    let mut asked = None;
    listen(move |signal| match answer(&mut asked, handle.requested(), signal, Instant::now()) {
        Answer::Stop => {
            ASKED.store(signal, Ordering::Relaxed);
            handle.request();
            // The dashboard says it on its own screen.
            if !screen::is_shown() {
                say(format!("stopping after {under_way} (Ctrl-C or the signal again: stop at once)"));
            }
        }
        Answer::Nothing => {}
        Answer::End => {
            screen::give_back();
            process::exit(exit_status().into());
        }
    })
    .context("signals cannot be caught")?;
    Ok(interrupt)
}

/// What a signal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Stop,
    Nothing,
    End,
}

/// What `signal` does that comes `now`; `asked` is when the first came, and `is_stopping` whether that or a key of the
/// dashboard has asked for a stop.
fn answer(asked: &mut Option<Instant>, is_stopping: bool, signal: u8, now: Instant) -> Answer {
    let is_echo = asked.is_some_and(|first| now.duration_since(first) < OF_ONE_REASON);
    asked.get_or_insert(now);
    match is_stopping {
        false => Answer::Stop,
        true if is_echo && signal != INTERRUPT => Answer::Nothing,
        true => Answer::End,
    }
}

#[cfg(unix)]
fn listen(mut on_signal: impl FnMut(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // `nohup` starts a program with SIGHUP ignored, and means it to outlive its terminal.
    let wanted =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| signal != SIGHUP || !is_ignored(SIGHUP));
    let mut signals = Signals::new(wanted)?;
    std::thread::spawn(move || {
        // All three are below 128.
        signals.forever().filter_map(|signal| u8::try_from(signal).ok()).for_each(&mut on_signal);
    });
    Ok(())
}

/// Whether the process was started with `signal` ignored; known on Linux alone.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(not(unix))]
fn listen(mut on_signal: impl FnMut(u8) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || on_signal(INTERRUPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANGUP: u8 = 1;
    const TERMINATE: u8 = 15;

    #[test]
    fn a_second_signal_ends_the_program_unless_it_is_of_the_same_reason_as_the_first() {
        let begin = Instant::now();
        let after = |signals: &[(u8, u64)]| {
            let mut asked = None;
            let mut last = Answer::Nothing;
            for (place, (signal, milliseconds)) in signals.iter().enumerate() {
                let now = begin + Duration::from_millis(*milliseconds);
                last = answer(&mut asked, place > 0, *signal, now);
            }
            last
        };
        for first in [INTERRUPT, TERMINATE, HANGUP] {
            assert_eq!(after(&[(first, 0)]), Answer::Stop);
            assert_eq!(after(&[(first, 0), (INTERRUPT, 10)]), Answer::End, "Ctrl-C twice is meant");
            assert_eq!(after(&[(first, 0), (TERMINATE, 1500)]), Answer::End);
        }
        // A terminal that is closed, or a system that shuts down.
        assert_eq!(after(&[(HANGUP, 0), (HANGUP, 10)]), Answer::Nothing);
        assert_eq!(after(&[(TERMINATE, 0), (HANGUP, 10)]), Answer::Nothing);
        assert_eq!(after(&[(TERMINATE, 0), (HANGUP, 10), (TERMINATE, 1200)]), Answer::End);
        // `q` on the dashboard came before.
        assert_eq!(answer(&mut None, true, TERMINATE, begin), Answer::End);
    }
}
