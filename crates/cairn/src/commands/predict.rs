//! `cairn predict`

use std::io;
use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_model::TOGETHER;
use cairn_nets::Precision;
use clap::Args;

use crate::commands::{open_model, reason, with_places, with_threshold, with_views};
use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::photo_files::named_photos;
use crate::progress::say;
use crate::rows::{Format, Row, RowOutcome, RowWriter};
use crate::tta::Tta;

/// Name the landmarks in photos
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO|DIR", required = true)]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelOption,
    /// How many landmarks to name for each photo
    #[arg(short, value_name = "K", default_value_t = 3)]
    k: usize,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Take a photo for a landmark from this score on, instead of the model's own threshold
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Views of each photo, whose probabilities are averaged: better by a little, slower by their number [default: the
    /// model's own, which is none unless it was calibrated with others]
    #[arg(long, value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Predict {
    pub(crate) fn run(self) -> Result<Status> {
        if self.k == 0 {
            bail!("-k 0 names nothing; ask for at least one landmark");
        }
        let model = open_model(&self.model.source, self.precision)?;
        let model = with_places(with_threshold(model, self.threshold), self.places.as_deref())?;
        let model = with_views(model, self.tta);
        let photos = named_photos(&self.photos);
        if photos.is_empty() {
            bail!("no photos in {}", list(&self.photos));
        }
        let mut rows = RowWriter::new(io::stdout().lock(), self.format);
        let mut bad = 0;
        for (path, output) in model.outputs_at(&photos, TOGETHER) {
            match output {
                Ok(output) => {
                    let prediction = model.prediction(&output, self.k);
                    rows.write(&Row::new(path, RowOutcome::Prediction(&prediction)))?;
                }
                Err(error) => {
                    bad += 1;
                    rows.write(&Row::new(path, RowOutcome::Unreadable { error: reason(&error, path) }))?;
                }
            }
        }
        rows.finish()?;
        if bad == photos.len() {
            bail!("not one of {bad} photos could be read");
        }
        if bad > 0 {
            say(format!("{bad} of {} photos could not be read", photos.len()));
        }
        Ok(Status::with_bad_photos(bad))
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
