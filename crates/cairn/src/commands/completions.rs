//! `cairn completions`

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::arguments::Arguments;
use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Status> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "cairn", &mut script);
        StandardOutput::open()?.write_all(&script)?;
        Ok(Status::Done)
    }
}
