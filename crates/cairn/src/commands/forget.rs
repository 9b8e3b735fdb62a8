//! `cairn forget`

use anyhow::Result;
use cairn_dataset::path_text;
use clap::Args;

use crate::destination::Destination;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::output::make_folder_of;
use crate::progress::say;

/// Remove a learned landmark from a model
#[derive(Debug, Args)]
pub(crate) struct Forget {
    #[command(flatten)]
    model: ModelArgument,
    /// Name of the learned landmark
    #[arg(long)]
    name: String,
    #[command(flatten)]
    destination: Destination,
}

impl Forget {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.destination.path(&self.model.source, [])?;
        let mut model = self.model.source.open()?;
        let forgotten = model.forget(&self.name)?;
        make_folder_of(&out)?;
        model.save(&out)?;
        say(format!("forgot {:?}: {}", forgotten.name, path_text(&out)));
        Ok(Status::Done)
    }
}
