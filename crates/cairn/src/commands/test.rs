//! `cairn test`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::{ImageFolder, Loader, LoaderOptions, View};
use cairn_eval::{Evaluation, ReportInputs, write_report};
use cairn_model::Model;
use cairn_nets::Precision;
use cairn_photo::TestViews;
use cairn_train::{Interrupt, RunFolder, evaluate};
use clap::Args;
use jiff::Zoned;

use crate::commands::open_model;
use crate::exit::Status;
use crate::json;
use crate::progress::{bar, left_out, say};
use crate::tta::Tta;

/// Test a model on labelled photos
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A model file, or a run folder (its best model)
    model: PathBuf,
    /// Data set: DIR/test if there is one, else DIR itself, with a folder for each class
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Write the report to this file or folder [default: the run folder, when a run is tested on its own data set]
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// Views of each photo, whose probabilities are averaged: better by a little, slower by their number
    #[arg(long, value_enum, value_name = "VIEWS", default_value_t = Tta::None)]
    tta: Tta,
    /// Photos in a batch
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
}

impl Test {
    pub(crate) fn run(self) -> Result<Status> {
        let model = open_model(&self.model, self.precision)?;
        let (evaluation, bad_photos) = test(&model, &self.data, self.batch, self.tta.into())?;
        if self.json {
            json::print(&evaluation)?;
        } else {
            writeln!(io::stdout(), "{evaluation}")?;
        }
        if let Some(path) = self.report_path() {
            let path = write_test_report(&path, &self.model, &model, &self.data, &evaluation)?;
            say(format!("report: {}", path.display()));
        }
        Ok(Status::with_bad_photos(bad_photos))
    }

    /// A run's report is of its own data set: a test on other photos must not take its place.
    fn report_path(&self) -> Option<PathBuf> {
        let own = || {
            RunFolder::record(&self.model).is_some_and(|run| self.data.canonicalize().ok() == Some(run.data))
        };
        self.report.clone().or_else(|| own().then(|| self.model.clone()))
    }
}

/// The figures on the test photos of `data`, and how many photos were left out (each is named).
pub(crate) fn test(
    model: &Model,
    data: &Path,
    batch_size: usize,
    views: TestViews,
) -> Result<(Evaluation, usize)> {
    let info = model.info();
    let folder = ImageFolder::open_test(data, &info.classes)?;
    let options = LoaderOptions { batch_size, ..LoaderOptions::default() };
    let loader =
        Loader::new(folder.examples, View::Test(info.preprocess.clone()), options)?.viewed_as(views)?;
    let bar = bar(loader.batches_per_epoch(), "testing");
    let mut bad_photos = 0;
    let never = Interrupt::default();
    let scores = evaluate(model.network(), &loader, info.classes.len(), model.precision(), &never, |bad| {
        bad_photos += 1;
        bar.suspend(|| say(left_out(bad)));
    });
    bar.finish_and_clear();
    // Only an interrupt makes it stop early, and nobody holds this one.
    let scores = scores.unwrap_or_else(|| cairn_eval::Scores::new(info.classes.len()));
    if scores.is_empty() {
        anyhow::bail!("{}: not one photo could be read", data.display());
    }
    Ok((scores.evaluate(&info.classes, info.temperature), bad_photos))
}

/// Writes the report and returns where it is.
pub(crate) fn write_test_report(
    path: &Path,
    model_path: &Path,
    model: &Model,
    data: &Path,
    evaluation: &Evaluation,
) -> Result<PathBuf> {
    let curves = RunFolder::history(model_path).map(|history| history.curves());
    let inputs = ReportInputs {
        model: &model_path.display().to_string(),
        data: &data.display().to_string(),
        date: &Zoned::now().strftime("%Y-%m-%d %H:%M").to_string(),
        recipe: Some(&model.info().provenance.recipe),
        evaluation,
        curves: curves.as_ref(),
    };
    Ok(write_report(path, &inputs)?)
}
