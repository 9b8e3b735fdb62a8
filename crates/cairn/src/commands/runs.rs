//! `cairn runs`

pub(crate) mod compare;
pub(crate) mod list;
mod results;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Status;

/// List training runs, and compare them
#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    List(list::List),
    Compare(compare::Compare),
}

impl Runs {
    pub(crate) fn run(self) -> Result<Status> {
        match self {
            Self::List(list) => list.run(),
            Self::Compare(compare) => compare.run(),
        }
    }
}
