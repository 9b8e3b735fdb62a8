//! `cairn lr-find`

use cairn_dataset::path_text;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::CacheMode;
use cairn_eval::check_chart_name;
use cairn_train::{RateRamp, RateSearch, RateTrial, Recipe};
use clap::Args;

use super::train::resolve;
use crate::data_set::DataSetOptions;
use crate::devices::Devices;
use crate::exit::Status;
use crate::first_weights::first_weights;
use crate::json;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::progress::{bar, left_out, say};
use crate::rows::Format;
use crate::signals::stop_on_signals;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Find a learning rate: train a few batches at growing rates and find where the loss falls fastest
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| out.alias("output").help("Picture of the loss against the learning rate to write: .png or .svg")))]
pub(crate) struct LrFind {
    /// Data set
    #[arg(value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Built-in recipe, or TOML file; its learning rate and schedule are not used
    #[arg(long, value_name = "NAME|FILE", default_value = "quick")]
    recipe: String,
    /// First learning rate
    #[arg(long, value_name = "RATE", default_value_t = RateRamp::default().lowest)]
    from: f64,
    /// Last learning rate; the search ends before it if the loss diverges
    #[arg(long, value_name = "RATE", default_value_t = RateRamp::default().highest)]
    to: f64,
    /// Batches from the first rate to the last
    #[arg(long, value_name = "N", default_value_t = RateRamp::default().batches)]
    batches: usize,
    #[command(flatten)]
    devices: Devices,
    #[command(flatten)]
    output: OutputOption,
    /// Format of the output; `json` also has the suggestion
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl LrFind {
    pub(crate) fn run(self) -> Result<Status> {
        if let Some(out) = &self.output.out {
            Outputs::files([out.clone()]).reading([self.data.as_path()]).check(self.output.force)?;
            check_chart_name(out)?;
        }
        // Known at once, rather than when there is something to write.
        StandardOutput::open()?;
        let devices = self.devices.open()?;
        let data = self.data_set.open_to_train(&self.data)?;
        let recipe = resolve(Recipe::find(&self.recipe)?, &data, &self.devices)?;
        let weights = first_weights(&recipe.network)?;
        let interrupt = stop_on_signals("this batch")?;
        let ramp = RateRamp { lowest: self.from, highest: self.to, batches: self.batches };
        let bar = bar(self.batches, "trying learning rates");
        let mut bad_photos = 0;
        let trial = RateTrial {
            recipe: &recipe,
            weights: weights.as_ref(),
            data: &data,
            cache: CacheMode::Ram,
            devices: &devices,
            interrupt: &interrupt,
        };
        let search = ramp.search(
            &trial,
            |_| bar.inc(1),
            |bad| {
                bar.suspend(|| say(left_out(bad)));
                bad_photos += 1;
            },
        )?;
        bar.finish_and_clear();
        if interrupt.requested() {
            return Ok(Status::Interrupted);
        }

        self.print(&search)?;
        if search.suggestion.is_none() {
            say(
                "no clear suggestion: the loss falls by no more than it trembles from batch to batch; use more --batches, or a larger batch in the recipe",
            );
        }
        if let Some(path) = &self.output.out {
            make_folder_of(path)?;
            search.curve().write(path)?;
            say(format!("curve: {}", path_text(path)));
        }
        Ok(Status::with_bad_photos(bad_photos))
    }

    fn print(&self, search: &RateSearch) -> Result<()> {
        if self.format == Format::Json {
            return json::print(search);
        }
        let mut table = TableOutput::new(
            ["learning_rate", "loss", "smoothed_loss"]
                .map(|key| Column::new(key, key.replace('_', " ")))
                .into(),
        );
        for tried in &search.tried {
            let rate = tried.learning_rate;
            table.push(vec![
                Cell::Number { value: rate, shown: format!("{rate:.2e}") },
                Cell::number(tried.loss, 4),
                Cell::number(tried.smoothed_loss, 4),
            ]);
        }
        table.print(self.format, Layout::Rows)?;
        if let Some(rate) = search.suggestion.filter(|_| self.format == Format::Table) {
            writeln!(
                StandardOutput::open()?,
                "\nsuggested learning rate, where the loss falls fastest: {rate:.1e}"
            )?;
        }
        Ok(())
    }
}
