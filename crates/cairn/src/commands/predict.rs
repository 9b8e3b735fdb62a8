//! `cairn predict`

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_model::Model;
use cairn_nets::Precision;
use cairn_photo::{Limits, Photo, PhotoError};
use clap::Args;
use rayon::prelude::*;

use crate::commands::{gazetteer, open_model};
use crate::exit::Status;
use crate::photo_files::photo_files;
use crate::progress::say;
use crate::rows::{Format, Row, RowOutcome, RowWriter};

/// Photos read and named together: enough to keep every core busy, few enough that memory stays flat.
const TOGETHER: usize = 16;

/// Name the landmarks in photos
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO|DIR", required = true)]
    photos: Vec<PathBuf>,
    /// A model file, or a run folder (its best model)
    #[arg(short, long, env = "CAIRN_MODEL")]
    model: PathBuf,
    /// How many landmarks to name for each photo
    #[arg(short, value_name = "K", default_value_t = 3)]
    k: usize,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Predict {
    pub(crate) fn run(self) -> Result<Status> {
        if self.k == 0 {
            bail!("-k 0 names nothing; ask for at least one landmark");
        }
        let gazetteer = gazetteer(self.places.as_deref())?;
        let model = open_model(&self.model, self.precision)?.with_places(&gazetteer);
        let photos = photo_files(&self.photos);
        if photos.is_empty() {
            bail!("no photos in {}", list(&self.photos));
        }
        let mut rows = RowWriter::new(io::stdout().lock(), self.format);
        let mut bad = 0;
        for paths in photos.chunks(TOGETHER) {
            bad += self.predict(&model, paths, &mut rows)?;
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

    /// Writes a row for each of these photos; the number that could not be read.
    fn predict(
        &self,
        model: &Model,
        paths: &[PathBuf],
        rows: &mut RowWriter<impl io::Write>,
    ) -> Result<usize> {
        let preprocess = &model.info().preprocess;
        // Framed at once: of a large photo only the network's input stays in memory.
        let framed = |path: &PathBuf| {
            let photo = Photo::open_at(path, preprocess.framing.read_size(), &Limits::default())?;
            Ok(preprocess.frame(&photo))
        };
        let opened: Vec<Result<Photo, PhotoError>> = paths.par_iter().map(framed).collect();
        let readable: Vec<&Photo> = opened.iter().flatten().collect();
        let mut predictions = model.predict_framed(&readable, self.k).into_iter();
        let mut bad = 0;
        for (path, photo) in paths.iter().zip(&opened) {
            match photo {
                Ok(_) => {
                    let landmarks = predictions.next().unwrap_or_default();
                    rows.write(&Row::new(path, RowOutcome::Landmarks(&landmarks)))?;
                }
                Err(error) => {
                    bad += 1;
                    rows.write(&Row::new(path, RowOutcome::Error(reason(error, path))))?;
                }
            }
        }
        Ok(bad)
    }
}

/// The error with its causes, without the path that the row names already.
fn reason(error: &PhotoError, path: &Path) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |&cause| cause.source());
    let message = causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"));
    message.strip_prefix(&format!("{}: ", path.display())).map(str::to_owned).unwrap_or(message)
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
