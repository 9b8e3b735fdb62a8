//! `cairn similar`

use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::path_text;
use clap::Args;

use crate::causes::with_causes;
use crate::exit::{Status, none_read};
use crate::model_source::ModelOption;
use crate::photo_files::named_photos;
use crate::progress::{bar, say};
use crate::rows::Format;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Rank photos by similarity to one photo
#[derive(Debug, Args)]
pub(crate) struct Similar {
    /// Photo to compare with
    photo: PathBuf,
    /// Photos, or folders of photos, to rank
    #[arg(value_name = "PHOTO|DIR", required = true)]
    among: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelOption,
    /// Number of photos to show, the most similar first [default: all]
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A photo and how like it is.
#[derive(Debug)]
struct Likeness {
    photo: String,
    /// Cosine of the angle between the embeddings, in `[-1, 1]`.
    likeness: f64,
}

impl Similar {
    pub(crate) fn run(self) -> Result<Status> {
        if self.k == Some(0) {
            bail!("-k 0: ask for at least one photo");
        }
        // Known at once, rather than when there is something to write.
        StandardOutput::open()?;
        let model = self.model.source.open()?;
        let sought = model.output(&self.photo)?.embedding;
        let paths = named_photos(&self.among);
        if paths.is_empty() {
            bail!("no photos to rank");
        }
        let bar = bar(paths.len(), "looking at photos");
        let mut ranked = Vec::new();
        let mut bad = 0;
        for (path, output) in paths.iter().zip(model.outputs(&paths)) {
            match output {
                Ok(output) => {
                    let likeness = sought.cosine(&output.embedding);
                    ranked.push(Likeness { photo: path_text(path), likeness });
                }
                Err(error) => {
                    bad += 1;
                    bar.suspend(|| say(format!("left out: {}", with_causes(&error))));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if ranked.is_empty() {
            return Err(none_read(bad));
        }
        // A stable sort: equals stay in path order.
        ranked.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
        ranked.truncate(self.k.unwrap_or(usize::MAX));
        write_ranked(&ranked, self.format)?;
        Ok(Status::with_bad_photos(bad))
    }
}

fn write_ranked(ranked: &[Likeness], format: Format) -> Result<()> {
    let mut table = TableOutput::new(["photo", "likeness"].map(|key| Column::new(key, key)).into());
    for Likeness { photo, likeness } in ranked {
        table.push(vec![Cell::text(photo), Cell::number(*likeness, 3)]);
    }
    table.print(format, Layout::Rows)
}
