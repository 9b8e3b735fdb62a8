//! `cairn calibrate`

use cairn_dataset::escape::shown;
use cairn_dataset::path_text;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::{ImageFolder, ValidSplit};
use cairn_model::{Backbone, Model};
use cairn_train::{CalibrationOutcome, SureOutcome, UnseenKind, calibrate, calibrate_sure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::destination::Destination;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::operating_points::point_lines;
use crate::output::make_folder_of;
use crate::photo_files::named_photos;
use crate::progress::{bar, say};
use crate::standard_output::StandardOutput;
use crate::tta::Tta;

/// Calibrate confidence and the thresholds for photos that show no landmark
///
/// With --data: fits the temperature, chooses the score that tells landmarks from other photos, and sets two thresholds.
/// The default one accepts 95 % of the validation photos, however many other photos it accepts. The sure one (`predict
/// --sure`) is set so that at most 2 % of photos like the distractors are accepted, however many landmarks it refuses.
/// It also prepares the model to learn landmarks from a few photos. Only training and validation photos of the data set
/// are used, never its test photos.
///
/// Without --data: only sets the sure threshold again, by the distractors.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("photos").required(true).multiple(true))]
pub(crate) struct Calibrate {
    #[command(flatten)]
    model: ModelArgument,
    /// Data set that the model was trained on
    #[arg(long, value_name = "DIR", group = "photos")]
    data: Option<PathBuf>,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Folder of photos that show none of the model's landmarks: about 60 of one kind (house fronts, rooms), at least 20
    /// in all; repeat the option for each kind
    #[arg(long, value_name = "PHOTO|DIR", group = "photos")]
    distractors: Vec<PathBuf>,
    /// Average predictions over several views of each photo (slower, slightly more accurate) [default: the model's
    /// setting]
    #[arg(long, value_enum, value_name = "VIEWS", requires = "data")]
    tta: Option<Tta>,
    /// Input size in pixels; a fifth above the training size is often more accurate [default: the model's setting]
    #[arg(long, value_name = "PX", requires = "data")]
    side: Option<u32>,
    /// How the backbone was trained; learned landmarks are weighted by it [default: the model's setting]
    #[arg(long, value_name = "HOW", requires = "data", value_parser = backbones())]
    backbone: Option<Backbone>,
    #[command(flatten)]
    destination: Destination,
}

/// The names of [`Backbone`]s.
fn backbones() -> impl TypedValueParser<Value = Backbone> {
    PossibleValuesParser::new(Backbone::ALL.map(Backbone::name)).map(|name| {
        let found = Backbone::ALL.into_iter().find(|backbone| backbone.name() == name);
        found.expect("a name of the list")
    })
}

impl Calibrate {
    pub(crate) fn run(self) -> Result<Status> {
        let inputs = self.distractors.iter().chain(&self.data).map(PathBuf::as_path);
        let out = self.destination.path(&self.model.source, inputs)?;
        let mut out_text = StandardOutput::open()?;
        let mut model = self.model.source.open()?;
        if let Some(tta) = self.tta {
            model.set_views(tta.into());
        }
        if let Some(side) = self.side {
            model.set_input_size(side)?;
        }
        if let Some(backbone) = self.backbone {
            model.set_backbone(backbone);
        }
        let kinds: Vec<Vec<PathBuf>> =
            self.distractors.iter().map(|kind| named_photos(std::slice::from_ref(kind))).collect();
        if let Some(empty) = kinds.iter().position(Vec::is_empty) {
            bail!("{}: there are no photos in this folder", path_text(&self.distractors[empty]));
        }
        let bad_photos = match &self.data {
            Some(data) => {
                let outcome =
                    calibrated(&mut model, &self.data_set.open(data, &ValidSplit::default())?, &kinds)?;
                write_outcome(&mut out_text, &outcome)?;
                write_unseen_kinds(&mut out_text, &outcome, &self.distractors)?;
                if outcome.backbone.is_none() {
                    say(
                        "the model does not say how its backbone was trained: taken for fine-tuned; --backbone says otherwise",
                    );
                }
                outcome.bad_photos
            }
            None => {
                let outcome = calibrated_sure(&mut model, &kinds)?;
                write_sure_outcome(&mut out_text, &model, &outcome)?;
                outcome.bad_photos
            }
        };
        for bad in &bad_photos {
            say(format!("left out: {}", with_causes(bad)));
        }
        make_folder_of(&out)?;
        model.save(&out)?;
        say(format!("model: {}", path_text(&out)));
        Ok(Status::with_bad_photos(bad_photos.len()))
    }
}

fn calibrated(model: &mut Model, data: &ImageFolder, kinds: &[Vec<PathBuf>]) -> Result<CalibrationOutcome> {
    let others: usize = kinds.iter().map(Vec::len).sum();
    let bar = bar(data.train.len() + data.valid.len() + others, "looking at photos");
    let outcome = calibrate(model, data, kinds, || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(outcome)
}

fn calibrated_sure(model: &mut Model, kinds: &[Vec<PathBuf>]) -> Result<SureOutcome> {
    let bar = bar(kinds.iter().map(Vec::len).sum(), "looking at photos");
    let outcome = calibrate_sure(model, kinds, || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(outcome)
}

fn write_outcome(out: &mut impl Write, outcome: &CalibrationOutcome) -> io::Result<()> {
    writeln!(out, "temperature  {:.3}", outcome.temperature)?;
    writeln!(out, "score         AUROC   FPR95     GAP  threshold")?;
    for quality in &outcome.scores {
        let metrics = quality.metrics;
        let chosen = if quality.score == outcome.rejection.score { "  chosen" } else { "" };
        writeln!(
            out,
            "{:<12} {:>6} {:>7} {:>7}  {:>9.4}{chosen}",
            quality.score.name(),
            share(metrics.auroc),
            share(metrics.fpr95),
            share(metrics.gap),
            quality.threshold,
        )?;
    }
    let names = ["default", "--sure"].into_iter();
    write!(out, "{}", point_lines(&names.zip(outcome.points.iter().copied()).collect::<Vec<_>>()))?;
    if outcome.points.len() < 2 {
        writeln!(out, "no threshold for --sure: it needs at least 20 --distractors, better 60 of each kind")?;
    }
    Ok(())
}

/// What the rejection would do to kinds of photos that it was not chosen with.
fn write_unseen_kinds(
    out: &mut impl Write,
    outcome: &CalibrationOutcome,
    kinds: &[PathBuf],
) -> io::Result<()> {
    if outcome.unseen_kinds.is_empty() {
        return Ok(());
    }
    writeln!(out, "kind left out  photos  score         AUROC   FPR95  --sure accepts")?;
    for UnseenKind { kind, photos, score, metrics, accepted_surely } in &outcome.unseen_kinds {
        let accepted = accepted_surely.map_or("–".to_owned(), |share| format!("{:.1}%", 100.0 * share));
        let name = kinds.get(*kind).map(path_text).unwrap_or_default();
        let (auroc, fpr95) = (share(metrics.auroc), share(metrics.fpr95));
        writeln!(
            out,
            "{photos:>21}  {:<12} {auroc:>6} {fpr95:>7}  {accepted:>14}  {}",
            score.name(),
            shown(&name)
        )?;
    }
    Ok(())
}

fn write_sure_outcome(out: &mut impl Write, model: &Model, outcome: &SureOutcome) -> io::Result<()> {
    let SureOutcome { sure, distractors, accepted, accepted_surely, .. } = outcome;
    let rejection = model.info().rejection.map_or(f64::NAN, |rejection| rejection.threshold);
    writeln!(out, "operating point  threshold  false landmarks among {distractors}")?;
    writeln!(out, "default          {rejection:>9.4}  {accepted}")?;
    writeln!(out, "--sure           {sure:>9.4}  {accepted_surely}")
}

/// With three decimals, or a dash for what is not a number.
fn share(value: f64) -> String {
    if value.is_finite() { format!("{value:.3}") } else { "–".to_owned() }
}
