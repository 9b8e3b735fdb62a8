//! `cairn data`

mod check;
mod label_doubts;
mod show;
mod split;
mod stats;

use clap::Subcommand;

use crate::exit::Status;

/// Look at a data set, or make one of a folder of classes
#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    Check(check::Check),
    Stats(stats::Stats),
    Show(show::Show),
    Split(split::Split),
}

impl Data {
    pub(crate) fn run(self) -> anyhow::Result<Status> {
        match self {
            Self::Check(check) => check.run(),
            Self::Stats(stats) => stats.run(),
            Self::Show(show) => show.run(),
            Self::Split(split) => split.run(),
        }
    }
}
