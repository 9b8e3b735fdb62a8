//! `cairn learn`

use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_model::Learned;
use clap::Args;

use crate::commands::with_causes;
use crate::destination::Destination;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::photo_files::named_photos;
use crate::progress::say;

/// Add a landmark to a model from a few photos, without training
#[derive(Debug, Args)]
pub(crate) struct Learn {
    #[command(flatten)]
    model: ModelArgument,
    /// What the landmark is called, such as "Our town hall"; one that was learned before is learned anew
    #[arg(long)]
    name: String,
    /// Photos of it, or folders of such photos; five are enough
    #[arg(value_name = "PHOTO|DIR", required = true)]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
}

impl Learn {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.destination.path(&self.model.source)?;
        let mut model = self.model.source.open()?;
        let paths = named_photos(&self.photos);
        let (mut read, mut embeddings) = (0, Vec::new());
        for path in &paths {
            match model.open_resized(path) {
                Ok(photo) => {
                    read += 1;
                    embeddings.extend(model.embeddings_to_learn(photo));
                }
                Err(error) => say(format!("left out: {}", with_causes(&error))),
            }
        }
        let bad = paths.len() - read;
        if read == 0 {
            bail!("not one photo could be read");
        }
        let learned = model.learn_embeddings(&self.name, &embeddings)?;
        model.save(&out)?;
        let what = match learned {
            Learned::New => "learned",
            Learned::Anew => "learned anew, from these photos alone:",
        };
        let count = match read {
            1 => "1 photo".to_owned(),
            count => format!("{count} photos"),
        };
        say(format!("{what} {:?} from {count}: {}", self.name.trim(), out.display()));
        Ok(Status::with_bad_photos(bad))
    }
}
