//! `cairn test`

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::ImageFolder;
use cairn_eval::{Answer, Evaluation, RejectionMetrics, ReportInputs, Scores, write_report};
use cairn_model::Model;
use cairn_nets::Precision;
use cairn_train::{RunFolder, answer};
use clap::Args;
use jiff::Zoned;
use serde::Serialize;

use crate::commands::{open_model, with_causes};
use crate::exit::Status;
use crate::json;
use crate::photo_files::photo_files;
use crate::progress::{bar, say};

/// Test a model on labelled photos
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A model file, or a run folder (its best model)
    model: PathBuf,
    /// Data set: DIR/test if there is one, else DIR itself, with a folder for each class
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// A folder of photos (or a photo) that show none of the model's landmarks: how well it knows them for what they
    /// are; may be given several times
    #[arg(long, value_name = "PHOTO|DIR")]
    distractors: Vec<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Write the report to this file or folder [default: the run folder, when a run is tested on its own data set]
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// What feature maps are made of, f32 or bf16 [default: the machine's fastest]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// Photos in a batch
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
}

impl Test {
    pub(crate) fn run(self) -> Result<Status> {
        if self.batch == 0 {
            anyhow::bail!("--batch 0 tests nothing; a batch has one photo at least");
        }
        let model = open_model(&self.model, self.precision)?;
        let Tested { evaluation, answers, mut bad_photos } = test(&model, &self.data, self.batch)?;
        let distractors = match self.distractors.as_slice() {
            [] => None,
            photos => Some(test_distractors(&model, photos, self.batch, &answers, &mut bad_photos)?),
        };
        let figures = Figures { evaluation: &evaluation, distractors };
        if self.json {
            json::print(&figures)?;
        } else {
            write!(io::stdout(), "{figures}")?;
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
        let Some(DistractorFigures { metrics, distractors, accepted_landmarks, accepted_distractors }) =
            &self.distractors
        else {
            return Ok(());
        };
        let RejectionMetrics { auroc, fpr95, gap } = metrics;
        writeln!(f, "{distractors} distractors: AUROC {auroc:.3}, FPR95 {fpr95:.3}, GAP {gap:.3}")?;
        if let (Some(landmarks), Some(others)) = (accepted_landmarks, accepted_distractors) {
            let (landmarks, others) = (100.0 * landmarks, 100.0 * others);
            writeln!(
                f,
                "accepted by the threshold: {landmarks:.1}% of the landmarks, {others:.1}% of the distractors"
            )?;
        }
        Ok(())
    }
}

/// What a model made of labelled photos.
pub(crate) struct Tested {
    pub evaluation: Evaluation,
    /// An answer for each photo that could be read.
    pub answers: Vec<Answer>,
    /// How many could not; each was named.
    pub bad_photos: usize,
}

/// Tests a model on the test photos of `data`.
pub(crate) fn test(model: &Model, data: &Path, batch: usize) -> Result<Tested> {
    let classes = model.classes();
    let examples = ImageFolder::open_test(data, &classes)?.examples;
    let paths: Vec<PathBuf> = examples.iter().map(|example| example.path.clone()).collect();
    let bar = bar(paths.len(), "testing");
    let mut scores = Scores::new(classes.len());
    let mut answers = Vec::new();
    for ((_, output), example) in model.outputs_at(&paths, batch).zip(&examples) {
        match output {
            Ok(output) => {
                scores.push(example.class, &output.logits);
                let score = model.score(&output, model.landmark_score());
                answers.push(answer(score, &output, Some(example.class)));
            }
            Err(error) => bar.suspend(|| say(format!("left out: {}", with_causes(&error)))),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if scores.is_empty() {
        anyhow::bail!("{}: not one photo could be read", data.display());
    }
    let evaluation = scores.evaluate(&classes, model.info().temperature);
    let bad_photos = paths.len() - answers.len();
    Ok(Tested { evaluation, answers, bad_photos })
}

/// How landmarks are told from photos that show none.
#[derive(Debug, Serialize)]
struct DistractorFigures {
    #[serde(flatten)]
    metrics: RejectionMetrics,
    /// How many photos without a landmark could be read.
    distractors: usize,
    /// Shares of both kinds that reach the model's threshold; `None` where it has none.
    accepted_landmarks: Option<f64>,
    accepted_distractors: Option<f64>,
}

/// Measures `model` on photos that show no landmark beside the `landmarks` of a test; adds to `bad_photos` those that
/// could not be read.
fn test_distractors(
    model: &Model,
    photos: &[PathBuf],
    batch: usize,
    landmarks: &[Answer],
    bad_photos: &mut usize,
) -> Result<DistractorFigures> {
    let paths = photo_files(photos);
    let bar = bar(paths.len(), "distractors");
    let mut distractors = Vec::new();
    for (_, output) in model.outputs_at(&paths, batch) {
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
    let threshold = model.info().rejection.map(|rejection| rejection.threshold);
    let accepted = |answers: &[Answer]| {
        let reach = |threshold| answers.iter().filter(|answer| answer.score >= threshold).count();
        threshold.map(|threshold| reach(threshold) as f64 / answers.len() as f64)
    };
    Ok(DistractorFigures {
        metrics: RejectionMetrics::of(&[landmarks, &distractors].concat()),
        distractors: distractors.len(),
        accepted_landmarks: accepted(landmarks),
        accepted_distractors: accepted(&distractors),
    })
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
