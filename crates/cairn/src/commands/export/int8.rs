//! `cairn export --format bundle --int8`: what it measures on which photos, and what it says of that.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_dataset::{DatasetError, Example, ImageFolder, ValidSplit};
use cairn_eval::accuracy_headline;
use cairn_model::Model;
use cairn_train::{Int8Accuracy, Int8Event, Int8Job, Int8Outcome, RunFolder};
use indicatif::ProgressBar;

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::model_source::ModelSource;
use crate::photo_files::{named_photos, say_skipped};
use crate::progress::{bar, say};
use crate::standard_output::StandardOutput;

/// By how many points the accuracy on validation photos may fall before layers stay in floats.
const MOST_POINTS: f64 = 0.3;

/// Layers in floats that are named; the others are counted.
const NAMED_LAYERS: usize = 8;

/// The model in 8 bits, and how many photos could not be read (each is named). Standard output says what it costs.
pub(super) fn bring_to_int8(
    source: &ModelSource,
    photos: Option<&Path>,
    options: DataSetOptions,
    model: &Model,
) -> Result<(Model, usize)> {
    let own = || source.path().and_then(RunFolder::record).map(|run| run.data);
    let Some(root) = photos.map(Path::to_owned).or_else(own) else {
        bail!(
            "a bundle with --int8 needs photos to measure activations on; name a data set or a folder of photos with \
             --calibration DIR"
        );
    };
    let (calibration, labelled) = photos_of(&root, options, model)?;
    let job = Int8Job { model, calibration: &calibration, labelled: &labelled, most_points: MOST_POINTS };
    let mut progress: Option<ProgressBar> = None;
    let outcome = job.run(|event| match event {
        Int8Event::Begin(what, count) => progress = Some(bar(count, what)),
        Int8Event::Photo(problem) => {
            if let Some(error) = problem {
                say(format!("left out: {}", with_causes(error)));
            }
            progress.iter().for_each(|bar| bar.inc(1));
        }
        Int8Event::TooLow(points, float) => {
            progress = None;
            say(format!("{points:.2} points are lost with {}; more stay in floats", layers(float)));
        }
    })?;
    drop(progress);
    let Int8Outcome { model, calibrated_on, accuracy, float, bad_photos } = outcome;
    say(format!("activations measured on {calibrated_on} photos"));
    match accuracy {
        Some(accuracy) => {
            let Int8Accuracy { before, after, total } = accuracy;
            let (before, after) = (accuracy_headline(before, total), accuracy_headline(after, total));
            let points = accuracy.points();
            writeln!(
                StandardOutput::open()?,
                "accuracy on validation photos: {before} -> {after}, {points:+.2} points"
            )?;
        }
        None => say("accuracy not measured: name a data set of the model's landmarks with --calibration DIR"),
    }
    let float = if float.is_empty() { in_floats(&model) } else { float };
    if !float.is_empty() {
        let named = float[..float.len().min(NAMED_LAYERS)].join(", ");
        let more = match float.len().saturating_sub(NAMED_LAYERS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        say(format!("in floats: {named}{more}"));
    }
    Ok((model, bad_photos))
}

/// Photos to measure activations on, and labelled ones of the model's landmarks to hold its accuracy to, if there are some.
/// Of a data set these are its training and its validation photos; its test photos play no role.
fn photos_of(root: &Path, options: DataSetOptions, model: &Model) -> Result<(Vec<PathBuf>, Vec<Example>)> {
    match ImageFolder::open_with(root, &ValidSplit::default(), options.manifest_paths()) {
        Ok(data) => {
            say_skipped(&data.ignored);
            let labelled = if data.classes == model.info().classes { data.valid } else { Vec::new() };
            Ok((data.train.into_iter().map(|example| example.path()).collect(), labelled))
        }
        Err(DatasetError::NoTrain { .. } | DatasetError::NoParts { .. }) => {
            Ok((named_photos(&[root.to_owned()]), Vec::new()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Layers that the model has in floats because there are no kernels of bytes for them.
fn in_floats(model: &Model) -> Vec<String> {
    model.int8().map(|int8| int8.float.iter().cloned().collect()).unwrap_or_default()
}

/// So many layers in floats.
fn layers(count: usize) -> String {
    match count {
        0 => "all layers in 8 bits".to_owned(),
        1 => "one layer in floats".to_owned(),
        count => format!("{count} layers in floats"),
    }
}
