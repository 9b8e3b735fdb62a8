//! `cairn completions`

use std::io::Write;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Of this definition of the command line.
    pub(crate) fn run(self, mut command: Command) -> anyhow::Result<Status> {
        let mut script = Vec::new();
        generate(self.shell, &mut command, "cairn", &mut script);
        StandardOutput::open()?.write_all(&script)?;
        Ok(Status::Done)
    }
}
