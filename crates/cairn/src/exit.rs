//! Exit statuses and last words.

use std::io::{self, Write};
use std::process::ExitCode;

use cairn_dataset::escape::{is_hidden, shown, shown_lines};

use crate::causes::with_causes;
use crate::signals;
use crate::standard_output::StandardOutput;

/// How a command ended, when it ended well enough to have an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Everything was done.
    Done,
    /// Everything was done but for photos (or, for `data check`, without problems): each was named.
    SomePhotosBad,
    /// Ctrl-C or another signal asked for a stop; what was done is saved.
    Interrupted,
}

impl Status {
    /// [`Status::Done`] unless photos were left out.
    pub(crate) fn with_bad_photos(count: usize) -> Self {
        if count == 0 { Self::Done } else { Self::SomePhotosBad }
    }
}

/// The error of a command of whose photos not one could be read.
pub(crate) fn none_read(photos: usize) -> anyhow::Error {
    match photos {
        1 => anyhow::anyhow!("the photo could not be read"),
        _ => anyhow::anyhow!("none of the {photos} photos could be read"),
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::SUCCESS,
            Status::SomePhotosBad => Self::from(2),
            Status::Interrupted => Self::from(signals::exit_status()),
        }
    }
}

/// Prints help, or what was wrong with the arguments: status 0 or 1.
pub(crate) fn for_usage(error: &clap::Error) -> ExitCode {
    // An argument may be the name of a file that a shell's `*` found; clap repeats it as it is, between its own colours.
    let hostile = std::env::args_os().any(|argument| argument.to_string_lossy().contains(is_hidden));
    if error.use_stderr() {
        // Nobody is left to tell when the terminal is gone.
        let _ =
            if hostile { write!(io::stderr(), "{}", shown_lines(&error.to_string())) } else { error.print() };
        return ExitCode::FAILURE;
    }
    // Help is data.
    let printed = StandardOutput::open().map_err(anyhow::Error::from).and_then(|_| Ok(error.print()?));
    printed.map_or_else(|error| for_error(&error), |()| ExitCode::SUCCESS)
}

/// Prints the error with its causes: status 1. A reader that went away (`cairn ... | head`) is no error.
pub(crate) fn for_error(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    let _ = writeln!(io::stderr(), "error: {}", shown(&with_causes(error.as_ref())));
    ExitCode::FAILURE
}
