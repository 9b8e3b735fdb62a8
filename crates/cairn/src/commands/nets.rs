//! `cairn nets`

use std::io::{self, Write};

use anyhow::Result;
use cairn_nets::{Architecture, NetworkSummary};
use clap::{Args, ValueEnum};

use crate::exit::Status;
use crate::json;
use crate::standard_output::StandardOutput;

/// As many classes as ImageNet has, for figures that can be compared with published ones.
const CLASSES: usize = 1000;

/// List the networks, with what each costs
#[derive(Debug, Args)]
pub(crate) struct Nets {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON array
    Json,
}

impl Nets {
    pub(crate) fn run(self) -> Result<Status> {
        let summaries = Architecture::ALL.into_iter().map(|net| net.summary(CLASSES));
        let summaries: Vec<NetworkSummary> = summaries.collect::<Result<_, _>>()?;
        match self.format {
            Format::Table => write_table(&mut StandardOutput::open()?, &summaries)?,
            Format::Json => json::print(&summaries)?,
        }
        Ok(Status::Done)
    }
}

fn write_table(out: &mut impl Write, summaries: &[NetworkSummary]) -> io::Result<()> {
    let name = |summary: &NetworkSummary| summary.architecture.name().len();
    let widest = summaries.iter().map(name).max().unwrap_or_default();
    let [parameters, multiply_adds] = ["parameters, million", "multiply-adds, billion"];
    writeln!(out, "{:widest$}  side  {parameters}  {multiply_adds}  features  weights", "network")?;
    for summary in summaries {
        writeln!(
            out,
            "{:widest$}  {:>4}  {:>19.2}  {:>22.2}  {:>8}  {}",
            summary.architecture.name(),
            summary.side,
            summary.parameters as f64 / 1e6,
            summary.multiply_adds as f64 / 1e9,
            summary.features,
            if summary.imagenet_weights.is_some() { "imagenet" } else { "-" },
        )?;
    }
    writeln!(out, "\nFor {CLASSES} classes, and one photo of the side that the network was published for.")
}
