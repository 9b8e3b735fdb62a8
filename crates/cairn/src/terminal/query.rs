//! Asking the terminal what it is.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

/// How long a terminal has to answer: a local one, and a remote one.
const NEAR: Duration = Duration::from_millis(300);
const FAR: Duration = Duration::from_millis(1200);

/// A cell's size in pixels (xterm, 16 t), then the terminal's attributes (DA1), which end what it answers.
const QUESTION: &[u8] = b"\x1b[16t\x1b[c";

/// Longer replies are something else than an answer.
const LONGEST: usize = 256;

/// What the controlling terminal replies, as far as it came in time; `None` where there is none, or it is another
/// program's. The terminal is left as it was, and nothing is shown.
pub(super) fn ask(far: bool) -> Option<Vec<u8>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
    // A program in the background would be stopped for touching the terminal.
    if tcgetpgrp(&terminal).ok()? != getpgrp() {
        return None;
    }
    let quiet = Quiet::set(terminal.try_clone().ok()?)?;
    terminal.write_all(QUESTION).ok()?;
    let deadline = Instant::now() + if far { FAR } else { NEAR };
    let mut reply = Vec::new();
    while !is_complete(&reply) && reply.len() < LONGEST {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).ok()?;
        let mut events = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        if left.is_zero() || poll(&mut events, timeout).ok()? == 0 {
            break;
        }
        let mut bytes = [0; 64];
        match terminal.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(count) => reply.extend(&bytes[..count]),
        }
    }
    drop(quiet);
    Some(reply)
}

/// Whether the attributes have come: `ESC [ ? ... c`.
fn is_complete(reply: &[u8]) -> bool {
    let start = reply.windows(3).position(|bytes| bytes == b"\x1b[?");
    start.is_some_and(|start| reply[start..].contains(&b'c'))
}

/// The terminal without echo and without waiting for line ends; dropping it brings back what was before.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn set(terminal: File) -> Option<Self> {
        let before = tcgetattr(&terminal).ok()?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(&terminal, SetArg::TCSANOW, &quiet).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // With what was not read, so that the rest of a reply is not typed into the shell.
        let _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn a_reply_ends_with_the_attributes() {
        assert!(is_complete(b"\x1b[6;18;9t\x1b[?62;4c") && is_complete(b"\x1b[?6c"));
        assert!(!is_complete(b"") && !is_complete(b"\x1b[6;18;9t") && !is_complete(b"c\x1b[?62;"));
    }
}
