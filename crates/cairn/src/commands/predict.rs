//! `cairn predict`

use cairn_model::rows::{Camera, Detail, FileStamp, ModelIdentity, Row, RowOutcome};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::path_text;
use cairn_model::{Model, ModelOptions, Prediction};
use cairn_nets::Precision;
use cairn_photo::PhotoError;
use cairn_train::Interrupt;
use clap::{Args, ValueHint};
use indicatif::ProgressBar;

use crate::done_rows::{DoneRows, RowKind};
use crate::exit::{Status, none_read};
use crate::model_source::ModelOption;
use crate::photo_files::say_skipped_links;
use crate::photo_input::PhotoInput;
use crate::places::merged_places;
use crate::progress::{bar, say};
use crate::row_table::RowTable;
use crate::rows::{Format, RowWriter};
use crate::signals::stop_on_signals;
use crate::standard_output::{self, StandardOutput};
use crate::tally::{Tally, counted};
use crate::threshold_options::ThresholdOptions;
use crate::tta::Tta;

/// How many landmarks JSON names for each photo, and a table with `-v`.
const NAMED: usize = 3;

/// Name the landmarks in photos
///
/// A table has a line for each photo: its landmark and place, or "no landmark I know". "maybe" is said of a landmark that
/// the model is not sure of. A summary of all photos goes to standard error.
///
/// The model takes a photo for a landmark if its score reaches a threshold. A higher threshold accepts fewer photos of
/// other things and misses more landmarks. The default threshold accepts 95 % of the landmarks, and many photos of other
/// buildings (the shipped model: more than half): it is for photos most of which show a landmark. --sure is set to accept
/// 2 % of other photos at most, as estimated on calibration photos, and misses more landmarks (the shipped model: one in
/// five): it is for photo collections.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn predict holiday/                                      a table: a line for each photo
  cairn predict photo.jpg -v                                  all about one photo
  cairn predict photos/ --sure --format csv > landmarks.csv   for a spreadsheet
  find . -name '*.jpg' -print0 | cairn predict --files-from - --format jsonl --brief
  cairn predict photo.jpg --coverage 0.95                     all landmarks that it may well be
  cairn predict photos/ --skip-done rows.jsonl                every night: new and changed photos only")]
pub(crate) struct Predict {
    /// Photos, folders of photos, or - for a photo on standard input
    #[arg(value_name = "PHOTO|DIR", required_unless_present = "files_from", value_hint = ValueHint::AnyPath)]
    photos: Vec<PathBuf>,
    /// Also the photos and folders that FILE lists (- for standard input), one a line, or each ended by a zero byte
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files_from: Option<PathBuf>,
    #[command(flatten)]
    model: ModelOption,
    /// How many landmarks to name for each photo; a table leaves out those below 1 %, unless -v asks for everything
    /// [default: 3 in JSON and with -v, else 1]
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// In a table, name further landmarks too, those below 1 % as well, and show scores, cameras and whole names
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    threshold: ThresholdOptions,
    /// For each photo, also the smallest set of landmarks that holds the right one this often, such as 0.95, of photos that
    /// show a landmark that the model knows
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["brief", "skip_done"])]
    coverage: Option<f64>,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Average predictions over several views of each photo (slower, slightly more accurate) [default: the model's
    /// setting]
    #[arg(long, value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
    /// Number type of activations, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// Format of the output; json is one array, jsonl has a line for each photo as soon as it is done [default: table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// In jsonl, json and csv, write only photo, name, probability and coordinates
    #[arg(long)]
    brief: bool,
    /// Add rows to OUTPUT (jsonl or csv) instead of writing to standard output, and leave out photos whose row is in it.
    /// A photo that has changed, by size or time, and every photo after a change of the model gets a new row. So does a
    /// photo that could not be read, once it has changed; of --brief rows, which do not say whether it has, each time.
    /// Rows that another threshold or -k gave, and brief rows beside others, are refused
    #[arg(long, value_name = "OUTPUT", value_hint = ValueHint::FilePath)]
    skip_done: Option<PathBuf>,
}

impl Predict {
    pub(crate) fn run(self) -> Result<Status> {
        let detail = if self.brief { Detail::Brief } else { Detail::Whole };
        if self.k == Some(0) {
            bail!("-k 0 names nothing; ask for at least one landmark");
        }
        if self.coverage.is_some() && self.format == Some(Format::Csv) {
            bail!("--coverage gives sets, which CSV has no room for; use --format jsonl or json, or a table");
        }
        let (model, identity) = self.open_model()?;
        let mut input = PhotoInput::of(&self.photos, self.files_from.as_deref())?;
        if input.photos.is_empty() {
            self.write_nothing(detail)?;
            bail!("no photos in {}", self.named());
        }
        say_skipped_links(&input.skipped);
        let all = input.photos.len();
        let kind = |format| {
            let (threshold, named) = (model.threshold(), self.count(format).min(model.classes().len()));
            RowKind { detail, model: &identity, threshold, named }
        };
        let done =
            self.skip_done.as_deref().map(|path| DoneRows::open(path, self.format, kind)).transpose()?;
        if let Some(done) = &done {
            let photos = std::mem::take(&mut input.photos);
            let is_done =
                |path: &PathBuf| done.has(&input.name(path), FileStamp::of(path).as_ref(), &identity);
            input.photos = photos.into_iter().filter(|path| !is_done(path)).collect();
            say(format!(
                "{} done before, {} to do",
                counted(all - input.photos.len(), "photo", "photos"),
                input.photos.len()
            ));
        }
        let format = done.as_ref().map(|done| done.format).or(self.format).unwrap_or(Format::Table);
        if self.brief && format == Format::Table {
            bail!("--brief is for data: add --format jsonl, json or csv");
        }
        let answers = Answers {
            model: &model,
            identity: &identity,
            input: &input,
            named: self.count(format),
            interrupt: stop_on_signals("this photo")?,
        };
        let tally = match &done {
            Some(done) => {
                let rows = RowWriter::new(done.file()?, format, detail);
                answers.write(if done.is_empty { rows } else { rows.below_others() }, true)?
            }
            None => {
                let out = StandardOutput::open()?;
                let is_terminal = out.is_terminal();
                let rows = match format {
                    Format::Table => RowWriter::table(out, self.table(&input)),
                    _ => RowWriter::new(out, format, detail).on_terminal(is_terminal),
                };
                answers.write(rows, !is_terminal && !standard_output::is_pipe())?
            }
        };
        self.end(&tally, &answers)
    }

    /// How many landmarks are named for each photo.
    fn count(&self, format: Format) -> usize {
        self.k.unwrap_or(match format {
            Format::Json | Format::Jsonl => NAMED,
            Format::Table if self.verbose => NAMED,
            Format::Table | Format::Csv => 1,
        })
    }

    /// Writes data that hold no row, for a program that reads them; a person is told in words.
    fn write_nothing(&self, detail: Detail) -> Result<()> {
        match self.format {
            Some(format) if self.skip_done.is_none() && format != Format::Table => {
                RowWriter::new(StandardOutput::open()?, format, detail).finish()
            }
            _ => Ok(()),
        }
    }

    /// The model as the options have it, and what rows call it.
    fn open_model(&self) -> Result<(Model, ModelIdentity)> {
        let options = ModelOptions {
            precision: self.precision,
            views: self.tta.map(Into::into),
            threshold: self.threshold.chosen(),
            coverage: self.coverage,
            places: merged_places(self.places.as_deref())?,
            ..ModelOptions::default()
        };
        let (model, identity) = self.model.source.open_identified()?;
        let model = model.with_options(options).with_context(|| self.model.source.to_string())?;
        Ok((model, identity))
    }

    fn table(&self, input: &PhotoInput) -> RowTable {
        let names: Vec<String> = input.photos.iter().map(|path| input.name(path)).collect();
        let table = RowTable::on_stdout(names.iter().map(String::as_str));
        RowTable { verbose: self.verbose, guesses: self.verbose || self.k.is_some(), ..table }
    }

    /// What was asked for, in words.
    fn named(&self) -> String {
        let named = self.photos.iter().chain(&self.files_from);
        named.map(path_text).collect::<Vec<_>>().join(", ")
    }

    /// The last words, and the exit status.
    fn end(&self, tally: &Tally, answers: &Answers<'_>) -> Result<Status> {
        let all = answers.input.photos.len();
        if tally.photos() > 1 || !answers.input.skipped.is_empty() {
            tally.say(&answers.input.skipped);
        }
        if answers.interrupt.requested() && tally.photos() < all {
            say(format!("interrupted: {} of {all} photos done", tally.photos()));
            return Ok(Status::Interrupted);
        }
        match tally.unreadable() {
            bad if bad > 0 && bad == all => Err(none_read(bad)),
            bad => Ok(Status::with_bad_photos(bad)),
        }
    }
}

/// Photos on their way to rows.
struct Answers<'a> {
    model: &'a Model,
    identity: &'a ModelIdentity,
    input: &'a PhotoInput,
    /// How many landmarks are named for each photo.
    named: usize,
    interrupt: Interrupt,
}

impl Answers<'_> {
    /// Writes the row of each photo, until all are written or somebody interrupts.
    fn write<W: Write>(&self, mut rows: RowWriter<W>, with_bar: bool) -> Result<Tally> {
        let photos = &self.input.photos;
        let bar =
            if with_bar && photos.len() > 1 { bar(photos.len(), "photos") } else { ProgressBar::hidden() };
        let mut tally = Tally::default();
        for (path, prediction) in photos.iter().zip(self.model.predict_many(photos, self.named)) {
            self.write_row(&mut rows, &mut tally, path, &prediction)?;
            bar.inc(1);
            if self.interrupt.requested() {
                break;
            }
        }
        bar.finish_and_clear();
        rows.finish()?;
        Ok(tally)
    }

    fn write_row<W: Write>(
        &self,
        rows: &mut RowWriter<W>,
        tally: &mut Tally,
        path: &Path,
        prediction: &Result<Prediction, PhotoError>,
    ) -> Result<()> {
        let outcome = match prediction {
            Ok(prediction) => RowOutcome::Prediction(prediction),
            Err(error) => RowOutcome::Unreadable { error: PhotoInput::reason(error, path) },
        };
        let name = self.input.name(path);
        let is_file = self.input.is_file(path);
        let mut row = Row {
            photo: name,
            camera: None,
            outcome,
            stamp: is_file.then(|| FileStamp::of(path)).flatten(),
            model: Some(self.identity),
        };
        if prediction.is_ok() {
            row.camera = Camera::of(path, row.landmark());
        }
        rows.write(&row)?;
        tally.count(&row);
        Ok(())
    }
}
