//! `cairn data stats`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_dataset::{DatasetStats, Spread, ValidSplit, stats};
use cairn_photo::Framing;
use clap::Args;

use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::json;
use crate::progress::{advance, bar, left_out, say};

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
        let bar = bar(0, "reading photos");
        let stats = stats(&data, &framing, |done, total| advance(&bar, done, total))?;
        bar.finish_and_clear();
        if self.json {
            json::print(&stats)?;
        } else {
            write_stats(&mut io::stdout().lock(), &stats)?;
        }
        stats.unreadable.iter().for_each(|bad| say(left_out(bad)));
        Ok(Status::with_bad_photos(stats.unreadable.len()))
    }
}

fn write_stats(out: &mut impl Write, stats: &DatasetStats) -> Result<()> {
    let widest =
        stats.classes.iter().map(|class| shown(&class.name).chars().count()).max().unwrap_or(0).max(5);
    writeln!(out, "{:widest$}  {:>6}  {:>6}  {:>6}", "class", "train", "valid", "test")?;
    for class in &stats.classes {
        let parts = class.photos;
        let name = shown(&class.name);
        writeln!(out, "{name:widest$}  {:>6}  {:>6}  {:>6}", parts.train, parts.valid, parts.test)?;
    }
    let all = stats.photos;
    writeln!(out, "{:widest$}  {:>6}  {:>6}  {:>6}\n", "all", all.train, all.valid, all.test)?;

    let spread = |s: Spread| format!("{} to {}, median {}", s.min, s.max, s.median);
    let ratio = stats.balance.ratio.map_or(String::new(), |r| format!(" (largest / smallest: {r:.1})"));
    writeln!(out, "photos a class   {}{ratio}", spread(stats.balance.photos))?;
    writeln!(out, "width            {} px", spread(stats.width))?;
    writeln!(out, "height           {} px", spread(stats.height))?;
    let sizes = stats.sizes.iter().take(5).map(|s| format!("{} x {} ({})", s.width, s.height, s.photos));
    writeln!(out, "commonest sizes  {}", sizes.collect::<Vec<_>>().join(", "))?;
    let formats = stats.formats.iter().map(|f| format!("{} ({})", f.format, f.photos));
    writeln!(out, "formats          {}", formats.collect::<Vec<_>>().join(", "))?;
    let channels = |figures: [f32; 3]| figures.map(|v| format!("{v:.4}")).join(" ");
    writeln!(out, "mean             {}  (red, green, blue; 0 to 1)", channels(stats.normalisation.mean))?;
    writeln!(out, "std              {}", channels(stats.normalisation.std))?;
    writeln!(out, "not readable     {}; other files ignored {}", stats.unreadable.len(), stats.ignored)?;
    Ok(())
}
