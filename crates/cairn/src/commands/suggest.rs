//! `cairn suggest`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use cairn_model::{Model, Suggestion};
use clap::Args;

use crate::exit::Status;
use crate::rows::write_landmarks;
use crate::terminal;

/// Show a photo and ask whether it is a picture of one of three landmarks
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    /// The photo
    photo: PathBuf,
    /// A model file, or a run folder (its best model)
    #[arg(short, long, env = "CAIRN_MODEL")]
    model: PathBuf,
}

impl Suggest {
    pub(crate) fn run(self) -> Result<Status> {
        let model = Model::open(&self.model)?;
        print_suggestion(&model.suggest_locations(&self.photo)?)?;
        Ok(Status::Done)
    }
}

/// The photo where the terminal can show it, then the question and the three landmarks.
pub(crate) fn print_suggestion(suggestion: &Suggestion) -> Result<()> {
    terminal::show(&suggestion.photo);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", suggestion.question())?;
    write_landmarks(&mut out, &suggestion.landmarks)
}
