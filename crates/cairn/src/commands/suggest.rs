//! `cairn suggest`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use cairn_model::Suggestion;
use clap::Args;

use crate::commands::{with_places, with_threshold};
use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::terminal;

/// Show a photo and ask whether it is a picture of one of three landmarks
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    /// The photo
    photo: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Take the photo for a landmark from this score on, instead of the model's own threshold
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
}

impl Suggest {
    pub(crate) fn run(self) -> Result<Status> {
        let model = with_threshold(self.model.source.open()?, self.threshold);
        let model = with_places(model, self.places.as_deref())?;
        print_suggestion(&model.suggest_locations(&self.photo)?)?;
        Ok(Status::Done)
    }
}

/// The photo where the terminal can show it, then the question and the three landmarks, with a map of each.
pub(crate) fn print_suggestion(suggestion: &Suggestion) -> Result<()> {
    terminal::show(&suggestion.photo);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", terminal::line(&suggestion.question(), 0))?;
    for landmark in &suggestion.prediction.landmarks {
        let line = format!("  {:>6}  {}", landmark.probability, landmark.summary());
        writeln!(out, "{}", terminal::line(&line, 10))?;
        if let Some(place) = &landmark.place {
            writeln!(out, "          {}", place.map_url())?;
        }
    }
    Ok(())
}
