//! `cairn data stats`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::{DatasetStats, Spread, ValidSplit, stats};
use cairn_photo::Framing;
use clap::Args;

use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::json;
use crate::progress::{advance, bar, left_out, say};
use crate::rows::Format;
use crate::standard_output::{self, StandardOutput};
use crate::table_output::{Cell, Column, Layout, TableOutput};
use crate::terminal;

/// Sizes, class balance, mean and standard deviation of the photos
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Data set
    dir: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Side of the centre crop that mean and deviation are measured on, in pixels
    #[arg(long, value_name = "PX", default_value_t = 224, value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(crate) fn run(self) -> Result<Status> {
        let data = self.data_set.open(&self.dir, &ValidSplit::default())?;
        let framing = Framing::ShortSideCrop { short_side: self.size, crop: self.size };
        let mut out = StandardOutput::open()?;
        let bar = bar(0, "reading photos");
        let stats = stats(&data, &framing, |done, total| advance(&bar, done, total))?;
        bar.finish_and_clear();
        if self.json {
            json::write_pretty(&mut out, &stats)?;
        } else {
            write_stats(&mut out, &stats)?;
        }
        stats.unreadable.iter().for_each(|bad| say(left_out(bad)));
        Ok(Status::with_bad_photos(stats.unreadable.len()))
    }
}

fn write_stats(out: &mut impl Write, stats: &DatasetStats) -> Result<()> {
    let mut columns = ["class", "train", "valid", "test"].map(|name| Column::new(name, name));
    if let Some(width) = standard_output::columns() {
        // What three columns of figures leave.
        let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_sub(28).max(8);
        columns[0] = columns[0].clone().at_most(width);
    }
    let mut photos = TableOutput::new(columns.to_vec());
    let all = ("all", stats.photos);
    let classes = stats.classes.iter().map(|class| (class.name.as_str(), class.photos));
    for (name, parts) in classes.chain([all]) {
        let counts = [parts.train, parts.valid, parts.test].map(Cell::count);
        photos.push([vec![Cell::text(name)], counts.to_vec()].concat());
    }
    photos.write(out, Format::Table, Layout::Rows)?;
    writeln!(out)?;

    let spread = |s: Spread| format!("{} to {}, median {}", s.min, s.max, s.median);
    let ratio = stats.balance.ratio.map_or(String::new(), |r| format!(" (largest / smallest: {r:.1})"));
    line(out, &format!("photos a class   {}{ratio}", spread(stats.balance.photos)))?;
    line(out, &format!("width            {} px", spread(stats.width)))?;
    line(out, &format!("height           {} px", spread(stats.height)))?;
    let sizes = stats.sizes.iter().take(5).map(|s| format!("{} x {} ({})", s.width, s.height, s.photos));
    line(out, &format!("commonest sizes  {}", sizes.collect::<Vec<_>>().join(", ")))?;
    let formats = stats.formats.iter().map(|f| format!("{} ({})", f.format, f.photos));
    line(out, &format!("formats          {}", formats.collect::<Vec<_>>().join(", ")))?;
    let channels = |figures: [f32; 3]| figures.map(|v| format!("{v:.4}")).join(" ");
    line(
        out,
        &format!("mean             {}  (red, green, blue; 0 to 1)", channels(stats.normalisation.mean)),
    )?;
    line(out, &format!("std              {}", channels(stats.normalisation.std)))?;
    line(
        out,
        &format!("not readable     {}; other files ignored {}", stats.unreadable.len(), stats.ignored),
    )?;
    Ok(())
}

/// A line of figures; on a terminal too narrow for it, it goes on below its first figure.
fn line(out: &mut impl Write, text: &str) -> Result<()> {
    Ok(writeln!(out, "{}", terminal::line(text, "commonest sizes  ".len()))?)
}
