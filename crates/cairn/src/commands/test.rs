//! `cairn test`

use cairn_dataset::path_text;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use cairn_eval::{Answer, Evaluation, OperatingPoint, RejectionMetrics, report_files};
use cairn_model::{Model, ModelOptions};
use cairn_nets::Precision;
use cairn_train::{RunFolder, answer};
use clap::Args;
use serde::Serialize;

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::json;
use crate::model_source::ModelArgument;
use crate::operating_points::point_lines;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::photo_files::named_photos;
use crate::progress::{bar, say};
use crate::standard_output::StandardOutput;
use crate::tested::Tested;
use crate::tta::Tta;

/// Test a model on labelled photos
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| {
    out.alias("report").value_name("PATH").help(
        "Report to write: a page for a name that ends in .html, else a folder of page and pictures [default: the run \
         folder, when a run is tested on its own data set]",
    )
}))]
pub(crate) struct Test {
    #[command(flatten)]
    model: ModelArgument,
    /// Data set: DIR/test if there is one, else DIR itself, with a folder for each class
    #[arg(value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// A folder of photos (or a photo) that show none of the model's landmarks: adds AUROC, FPR95, GAP, and what the
    /// default threshold and that of `predict --sure` accept; may be given several times
    #[arg(long, value_name = "PHOTO|DIR")]
    distractors: Vec<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    output: OutputOption,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// Views of each photo, whose probabilities are averaged: better by a little, slower by their number [default: the
    /// model's own, which is none unless it was calibrated with others]
    #[arg(long, value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
}

impl Test {
    pub(crate) fn run(self) -> Result<Status> {
        if let Some(out) = &self.output.out {
            Outputs::files(report_files(out)).reading([self.data.as_path()]).check(self.output.force)?;
        }
        let options = ModelOptions {
            precision: self.precision,
            views: self.tta.map(Into::into),
            ..ModelOptions::default()
        };
        let mut out = StandardOutput::open()?;
        let model = self.model.source.open()?.with_options(options)?;
        let tested = Tested::new(&model, &self.data, self.data_set)?;
        let mut bad_photos = tested.test.bad_photos.len();
        let distractors = match self.distractors.as_slice() {
            [] => None,
            photos => Some(test_distractors(&model, photos, &tested.test.answers, &mut bad_photos)?),
        };
        let figures = Figures { evaluation: &tested.test.evaluation, distractors };
        if self.json {
            json::write_pretty(&mut out, &figures)?;
        } else {
            write!(out, "{figures}")?;
        }
        if let Some(path) = self.report_path() {
            make_folder_of(&path)?;
            let path = tested.write_report(&path, &self.model.source)?;
            say(format!("report: {}", path_text(&path)));
        }
        Ok(Status::with_bad_photos(bad_photos))
    }

    /// A run's report is of its own data set: a test on other photos must not take its place.
    fn report_path(&self) -> Option<PathBuf> {
        let own = || {
            let folder = self.model.source.path()?;
            let run = RunFolder::record(folder)?;
            (self.data.canonicalize().ok() == Some(run.data)).then(|| folder.to_owned())
        };
        self.output.out.clone().or_else(own)
    }
}

/// All figures, as they are printed.
#[derive(Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    #[serde(flatten)]
    distractors: Option<DistractorFigures>,
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.evaluation)?;
        let Some(DistractorFigures { metrics, distractors, operating_points, .. }) = &self.distractors else {
            return Ok(());
        };
        let RejectionMetrics { auroc, fpr95, gap } = metrics;
        writeln!(f, "{distractors} distractors: AUROC {auroc:.3}, FPR95 {fpr95:.3}, GAP {gap:.3}")?;
        f.write_str(&point_lines(&operating_points.named()))
    }
}

/// How landmarks are told from photos that show none.
#[derive(Debug, Serialize)]
struct DistractorFigures {
    #[serde(flatten)]
    metrics: RejectionMetrics,
    /// How many photos without a landmark could be read.
    distractors: usize,
    /// Shares of both kinds that reach the model's default threshold; `None` where it has none.
    accepted_landmarks: Option<f64>,
    accepted_distractors: Option<f64>,
    /// What each threshold accepts.
    operating_points: OperatingPoints,
}

/// What the thresholds of a model accept; `None` for those that it has not.
#[derive(Debug, Serialize)]
struct OperatingPoints {
    default: Option<OperatingPoint>,
    sure: Option<OperatingPoint>,
}

impl OperatingPoints {
    fn of(model: &Model, answers: &[Answer]) -> Self {
        let rejection = model.info().rejection;
        let at = |threshold| OperatingPoint::of(threshold, answers);
        Self {
            default: rejection.map(|rejection| at(rejection.threshold)),
            sure: rejection.and_then(|rejection| rejection.sure).map(at),
        }
    }

    fn named(&self) -> Vec<(&'static str, OperatingPoint)> {
        [("default", self.default), ("--sure", self.sure)]
            .into_iter()
            .filter_map(|(name, point)| Some((name, point?)))
            .collect()
    }
}

/// Measures `model` on photos that show no landmark beside the `landmarks` of a test; adds to `bad_photos` those that
/// could not be read.
fn test_distractors(
    model: &Model,
    photos: &[PathBuf],
    landmarks: &[Answer],
    bad_photos: &mut usize,
) -> Result<DistractorFigures> {
    let paths = named_photos(photos);
    let bar = bar(paths.len(), "distractors");
    let mut distractors = Vec::new();
    for output in model.outputs(&paths) {
        match output {
            Ok(output) => {
                let score = model.score(&output, model.landmark_score());
                distractors.push(answer(score, &output, None));
            }
            Err(error) => {
                *bad_photos += 1;
                bar.suspend(|| say(format!("left out: {}", with_causes(&error))));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if distractors.is_empty() {
        anyhow::bail!("not one distractor could be read");
    }
    let answers = [landmarks, &distractors].concat();
    let operating_points = OperatingPoints::of(model, &answers);
    Ok(DistractorFigures {
        metrics: RejectionMetrics::of(&answers),
        distractors: distractors.len(),
        accepted_landmarks: operating_points.default.map(|point| point.accepted_landmarks),
        accepted_distractors: operating_points.default.map(|point| point.accepted_distractors),
        operating_points,
    })
}
