//! `cairn nets`

use std::io::Write;

use anyhow::Result;
use cairn_nets::{Architecture, NetworkSummary};
use clap::Args;

use crate::exit::Status;
use crate::rows::Format;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// As many classes as ImageNet has, for figures that can be compared with published ones.
const CLASSES: usize = 1000;

/// List the networks, with the cost of each
#[derive(Debug, Args)]
pub(crate) struct Nets {
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Nets {
    pub(crate) fn run(self) -> Result<Status> {
        let mut table = TableOutput::new(
            [
                ("architecture", "network"),
                ("side", "side"),
                ("classes", "classes"),
                ("parameters", "parameters, million"),
                ("multiply_adds", "multiply-adds, billion"),
                ("features", "features"),
                ("imagenet_weights", "weights"),
            ]
            .map(|(key, heading)| Column::new(key, heading))
            .into(),
        );
        for net in Architecture::ALL {
            table.push(row(&net.summary(CLASSES)?));
        }
        table.print(self.format, Layout::Rows)?;
        if self.format == Format::Table {
            writeln!(
                StandardOutput::open()?,
                "\nFor one photo of the side that the network was published for."
            )?;
        }
        Ok(Status::Done)
    }
}

fn row(summary: &NetworkSummary) -> Vec<Cell> {
    let of = |value: f64, unit: f64| Cell::Number { value, shown: format!("{:.2}", value / unit) };
    vec![
        Cell::text(summary.architecture.name()),
        Cell::count(summary.side),
        Cell::count(summary.classes),
        of(summary.parameters as f64, 1e6),
        of(summary.multiply_adds as f64, 1e9),
        Cell::count(summary.features),
        summary.imagenet_weights.map_or(Cell::Nothing, |address| Cell::shown_as(address, "imagenet")),
    ]
}
