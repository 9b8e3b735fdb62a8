//! Signals that ask for a stop: SIGINT (Ctrl-C), SIGTERM (`kill`, a system that shuts down) and SIGHUP (a terminal that is
//! closed).

use std::process;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, Result};
use cairn_train::Interrupt;

use crate::dashboard::screen;
use crate::progress::say;

/// SIGINT's number.
const INTERRUPT: u8 = 2;

/// The signal that asked for a stop first; Ctrl-C while none has.
static ASKED: AtomicU8 = AtomicU8::new(INTERRUPT);

/// The exit status of a program that a signal stopped, as shells report it: 128 and the signal's number.
pub(crate) fn exit_status() -> u8 {
    128 + ASKED.load(Ordering::Relaxed)
}

/// From here on, a signal requests a stop after the current work instead of ending the program. A second Ctrl-C ends it; other
/// signals may come twice for one reason, as when a terminal is closed.
pub(crate) fn stop_on_signals() -> Result<Interrupt> {
    let interrupt = Interrupt::default();
    let handle = interrupt.clone();
    listen(move |signal| {
        if !handle.requested() {
            ASKED.store(signal, Ordering::Relaxed);
            handle.request();
            // The dashboard says it on its own screen.
            if !screen::is_shown() {
                say("stopping as soon as the work at hand is saved (Ctrl-C again: stop at once, without saving)");
            }
        } else if signal == INTERRUPT {
            screen::give_back();
            process::exit(exit_status().into());
        }
    })
    .context("signals cannot be caught")?;
    Ok(interrupt)
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
