//! Standard output, where data goes.
//!
//! The one way to it: a program must not end well when its data went nowhere. Where a program is started with standard
//! output closed (`cairn ... >&-`), the standard library opens `/dev/null` in its place before `main`, and all that is
//! written is lost without an error. So it is looked at before that.

// This file is what the other uses of `stdout` would bypass.
#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output was closed when the program was started.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
ctor::declarative::ctor! {
    /// Looks whether standard output is closed. It runs before `main`, so it does nothing but ask the system and note what
    /// it says.
    #[ctor(unsafe)]
    fn look_at_standard_output() {
        use nix::errno::Errno;
        use nix::fcntl::{FcntlArg, fcntl};

        let flags = fcntl(io::stdout(), FcntlArg::F_GETFD);
        IS_CLOSED.store(flags == Err(Errno::EBADF), Ordering::Relaxed);
    }
}

/// Why no data can be written.
#[derive(Debug, thiserror::Error)]
#[error("standard output is closed, so there is nowhere to write to; open it, or send it to a file (> FILE)")]
pub(crate) struct ClosedOutput;

/// Standard output, open. A verb that works long asks for it first.
#[derive(Debug)]
pub(crate) struct StandardOutput(io::Stdout);

impl StandardOutput {
    /// Standard output.
    ///
    /// # Errors
    /// Where it was closed when the program was started.
    pub(crate) fn open() -> Result<Self, ClosedOutput> {
        if IS_CLOSED.load(Ordering::Relaxed) { Err(ClosedOutput) } else { Ok(Self(io::stdout())) }
    }

    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritten)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether another program reads standard output, which may write to the terminal meanwhile: between its lines a progress bar
/// would be left behind.
pub(crate) fn is_pipe() -> bool {
    #[cfg(unix)]
    {
        use nix::sys::stat::{SFlag, fstat};

        let mode = fstat(io::stdout()).map(|stat| SFlag::from_bits_truncate(stat.st_mode));
        mode.is_ok_and(|mode| mode & SFlag::S_IFMT == SFlag::S_IFIFO)
    }
    #[cfg(not(unix))]
    false
}

/// The columns of the terminal that standard output is; `None` where it is none.
pub(crate) fn columns() -> Option<usize> {
    let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| is_terminal());
    size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Writes what is not yet written: the standard library does so at a program's end, and tells nobody when it fails.
pub(crate) fn flush() -> io::Result<()> {
    io::stdout().flush().map_err(unwritten)
}

/// The error that says what could not be written.
fn unwritten(source: io::Error) -> io::Error {
    io::Error::new(source.kind(), Unwritten(source))
}

#[derive(Debug)]
struct Unwritten(io::Error);

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output cannot be written")
    }
}

impl Error for Unwritten {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::with_causes;

    #[test]
    fn an_error_says_that_it_is_standard_output_that_cannot_be_written_and_why() {
        let full = unwritten(io::Error::from(io::ErrorKind::StorageFull));
        assert!(
            with_causes(&full).starts_with("standard output cannot be written: "),
            "{}",
            with_causes(&full)
        );
        // `cairn ... | head` is told from other errors by its kind.
        assert_eq!(unwritten(io::Error::from(io::ErrorKind::BrokenPipe)).kind(), io::ErrorKind::BrokenPipe);
    }
}
