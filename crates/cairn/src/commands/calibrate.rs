//! `cairn calibrate`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::{ImageFolder, ValidSplit};
use cairn_train::{CalibrationOutcome, calibrate};
use clap::Args;

use crate::commands::with_causes;
use crate::destination::Destination;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::output::make_folder_of;
use crate::photo_files::photo_files;
use crate::progress::{bar, say};
use crate::tta::Tta;

/// Teach a trained model to tell landmarks from other photos, and to weigh what it learns from a few photos
///
/// Only training and validation photos of the data set are used, never its test photos.
#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    #[command(flatten)]
    model: ModelArgument,
    /// The data set that the model was trained on
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A folder of photos (or a photo) that show none of its landmarks; may be given several times. Without any, the model
    /// goes by its confidence
    #[arg(long, value_name = "PHOTO|DIR")]
    distractors: Vec<PathBuf>,
    /// Views of each photo that the model looks at from now on, whose probabilities are averaged: better by a little, slower
    /// by their number [default: the model's own]
    #[arg(long, value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
    /// Width and height in pixels at which the model looks at photos from now on: a fifth more than it was trained on often names
    /// more of them [default: the model's own]
    #[arg(long, value_name = "PX")]
    side: Option<u32>,
    #[command(flatten)]
    destination: Destination,
}

impl Calibrate {
    pub(crate) fn run(self) -> Result<Status> {
        let inputs = self.distractors.iter().chain([&self.data]).map(PathBuf::as_path);
        let out = self.destination.path(&self.model.source, inputs)?;
        let mut model = self.model.source.open()?;
        if let Some(tta) = self.tta {
            model.set_views(tta.into());
        }
        if let Some(side) = self.side {
            model.set_side(side)?;
        }
        let data = ImageFolder::open(&self.data, &ValidSplit::default())?;
        let distractors = photo_files(&self.distractors);
        if distractors.is_empty() && !self.distractors.is_empty() {
            bail!("there are no photos among the distractors");
        }
        let bar = bar(data.train.len() + data.valid.len() + distractors.len(), "looking at photos");
        let outcome = calibrate(&mut model, &data, &distractors, || bar.inc(1))?;
        bar.finish_and_clear();
        for bad in &outcome.bad_photos {
            say(format!("left out: {}", with_causes(bad)));
        }
        write_outcome(&mut io::stdout().lock(), &outcome)?;
        make_folder_of(&out)?;
        model.save(&out)?;
        say(format!("model: {}", out.display()));
        Ok(Status::with_bad_photos(outcome.bad_photos.len()))
    }
}

fn write_outcome(out: &mut impl Write, outcome: &CalibrationOutcome) -> io::Result<()> {
    writeln!(out, "temperature  {:.3}", outcome.temperature)?;
    writeln!(out, "score         AUROC   FPR95     GAP  threshold")?;
    for quality in &outcome.scores {
        let metrics = quality.metrics;
        let chosen = if quality.score == outcome.rejection.score { "  chosen" } else { "" };
        writeln!(
            out,
            "{:<12} {:>6} {:>7} {:>7}  {:>9.4}{chosen}",
            quality.score.name(),
            share(metrics.auroc),
            share(metrics.fpr95),
            share(metrics.gap),
            quality.threshold,
        )?;
    }
    Ok(())
}

/// With three decimals, or a dash for what is not a number.
fn share(value: f64) -> String {
    if value.is_finite() { format!("{value:.3}") } else { "–".to_owned() }
}
