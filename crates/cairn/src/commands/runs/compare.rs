//! `cairn runs compare`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::Result;
use cairn_eval::{check_chart_name, write_run_curves};
use cairn_train::{Recipe, Run, recipe_diff};
use clap::Args;

use super::results::{result_columns, results};
use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::progress::say;
use crate::rows::Format;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Compare runs: recipe values that differ, results, and validation curves in one picture
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| out.alias("output").help("Picture of all validation losses and accuracies to write: .png or .svg")))]
pub(crate) struct Compare {
    /// Run folders
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Compare {
    pub(crate) fn run(self) -> Result<Status> {
        if let Some(out) = &self.output.out {
            Outputs::files([out.clone()]).check(self.output.force)?;
            check_chart_name(out)?;
        }
        let runs = self.runs.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>, _>>()?;
        let recipes: Vec<&Recipe> = runs.iter().map(|run| &run.recipe).collect();
        let differences = recipe_diff(&recipes)?;

        let mut columns = vec![Column::new("run", "run")];
        columns.extend(differences.iter().map(|difference| Column::new(&difference.key, &difference.key)));
        columns.extend(result_columns());
        let mut table = TableOutput::new(columns);
        for (place, run) in runs.iter().enumerate() {
            let value = |of: &Option<String>| of.as_ref().map_or(Cell::Nothing, Cell::text);
            let mut row = vec![Cell::text(path_text(&run.path))];
            row.extend(differences.iter().map(|difference| value(&difference.values[place])));
            row.extend(results(run));
            table.push(row);
        }
        table.print(self.format, Layout::SideBySide)?;

        if let Some(path) = &self.output.out {
            make_folder_of(path)?;
            let curves: Vec<_> = runs.iter().map(|run| run.curves(path_text(&run.path))).collect();
            write_run_curves(path, &curves)?;
            say(format!("curves: {}", path_text(path)));
        }
        Ok(Status::Done)
    }
}
