//! `cairn suggest`

use cairn_dataset::path_text;
use cairn_model::rows::Camera;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cairn_model::{Landmark, ModelOptions, Suggestion, Threshold};
use clap::Args;

use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::photo_input::PhotoInput;
use crate::places::merged_places;
use crate::standard_output::StandardOutput;
use crate::terminal;

/// Show a photo and name its landmark, or ask if the model is not sure
///
/// "This is the Eiffel Tower (99.5%)." is said where the score reaches the model's sure threshold and the landmark is
/// likelier than all others together; "Is this a picture of ...?" where it is not. `cairn help predict` says what the
/// thresholds trade.
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    /// The photo, or - for one on standard input
    photo: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    /// File of places for your own landmarks, added to those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Lowest score at which a photo counts as a landmark [default: the model's threshold]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
}

impl Suggest {
    pub(crate) fn run(self) -> Result<Status> {
        let options = ModelOptions {
            threshold: self.threshold.map(Threshold::At),
            places: merged_places(self.places.as_deref())?,
            ..ModelOptions::default()
        };
        let model = self.model.source.open()?.with_options(options)?;
        let input = PhotoInput::one(&self.photo)?;
        let photo = &input.photos[0];
        if photo.is_dir() {
            bail!("{}: this is a folder; `cairn predict` takes folders", path_text(&self.photo));
        }
        let suggestion = model.suggest(photo).map_err(anyhow::Error::from);
        // A photo on standard input has no path worth naming.
        let suggestion = match input.is_file(photo) {
            true => suggestion?,
            false => suggestion.context("the photo on standard input cannot be read")?,
        };
        print_suggestion(&suggestion)?;
        let mut out = StandardOutput::open()?;
        if let Some(camera) = Camera::of(photo, suggestion.prediction.named()) {
            let but = if camera.contradicts() { ": too far away" } else { "" };
            let lines = [camera.whereabouts().map(|line| line + but), camera.equipment()];
            lines
                .iter()
                .flatten()
                .try_for_each(|line| writeln!(out, "{}", terminal::line(&format!("  {line}"), 2)))?;
        }
        Ok(Status::Done)
    }
}

/// The photo where the terminal can show it, then what the model says, and a map of each landmark worth a look.
pub(crate) fn print_suggestion(suggestion: &Suggestion) -> Result<()> {
    terminal::show(&suggestion.photo);
    let mut out = StandardOutput::open()?;
    writeln!(out, "{}", terminal::line(&suggestion.sentence(), 0))?;
    let worth_saying = suggestion.prediction.worth_saying();
    let said: &[Landmark] =
        if suggestion.prediction.is_certain() { &worth_saying[..1] } else { worth_saying };
    for landmark in said {
        writeln!(out, "{}", terminal::landmark_line(landmark))?;
        // No map of a landmark that the photo does not show.
        let place = landmark.place.as_ref().filter(|_| suggestion.prediction.named().is_some());
        if let Some(place) = place {
            writeln!(out, "          {}", place.map_url())?;
        }
    }
    Ok(())
}
