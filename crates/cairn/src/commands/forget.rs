//! `cairn forget`

use std::path::PathBuf;

use anyhow::Result;
use cairn_model::Model;
use clap::Args;

use crate::destination::Destination;
use crate::exit::Status;
use crate::progress::say;

/// Take a landmark that was learned from a few photos out of a model again
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// A model file, or a run folder (its best model)
    model: PathBuf,
    /// The name that it was learned by
    #[arg(long)]
    name: String,
    #[command(flatten)]
    destination: Destination,
}

impl Forget {
    pub(crate) fn run(self) -> Result<Status> {
        let mut model = Model::open(&self.model)?;
        let forgotten = model.forget(&self.name)?;
        let path = self.destination.write(&model, &self.model)?;
        say(format!("forgot {:?}: {}", forgotten.name, path.display()));
        Ok(Status::Done)
    }
}
