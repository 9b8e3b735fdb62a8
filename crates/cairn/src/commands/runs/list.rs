//! `cairn runs list`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cairn_train::{Run, runs_in};
use clap::Args;
use jiff::tz::TimeZone;

use super::results::{result_columns, results};
use crate::causes::with_causes;
use crate::exit::Status;
use crate::progress::say;
use crate::rows::Format;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// What is said where there is nothing to list, and what to do about it.
const NO_RUNS: &str = "no runs; `cairn train DIR` makes one";

/// List the runs in a folder, each with its best epoch by validation loss
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Folder with run folders, directly or in folders
    #[arg(value_name = "DIR", default_value = "runs")]
    dir: PathBuf,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl List {
    pub(crate) fn run(self) -> Result<Status> {
        let mut columns = vec![
            Column::new("run", "run"),
            Column::new("begun", "begun").spared(6),
            Column::new("recipe", "recipe").spared(7),
            Column::new("network", "network").spared(3),
        ];
        columns.extend(result_columns());
        let mut table = TableOutput::new(columns);
        let (mut sound, mut broken) = (0_usize, 0_usize);
        for run in runs_in(&self.dir).context(NO_RUNS)? {
            match run {
                Ok(run) => {
                    table.push(row(&run, self.format));
                    sound += 1;
                }
                Err(error) => {
                    say(format!("left out: {}", with_causes(&error)));
                    broken += 1;
                }
            }
        }
        if sound == 0 && self.format == Format::Table {
            say(format!("{}: {NO_RUNS}", path_text(&self.dir)));
        } else {
            table.print(self.format, Layout::Rows)?;
        }
        Ok(if broken == 0 { Status::Done } else { Status::SomePhotosBad })
    }
}

fn row(run: &Run, format: Format) -> Vec<Cell> {
    // A person wants to know when by the clock on the wall, a program by any clock.
    let begun = run.record.begun.map_or(Cell::Nothing, |begun| match format {
        Format::Table => {
            Cell::text(begun.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
        }
        Format::Json | Format::Jsonl | Format::Csv => Cell::text(begun.to_string()),
    });
    let recipe = run.record.recipe.as_deref().map_or(Cell::Nothing, Cell::text);
    let mut row = vec![
        Cell::text(path_text(&run.path)),
        begun,
        recipe,
        Cell::text(run.recipe.network.architecture.name()),
    ];
    row.extend(results(run));
    row
}
