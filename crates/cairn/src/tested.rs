//! A model tested on labelled photos, and the report of it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_dataset::{ClassList, Example, ImageFolder, ValidSplit};
use cairn_eval::{
    Answer, Evaluation, Exhibit, Prediction, ReportInputs, Scores, TrainingFacts, surest_hits,
    worst_mistakes, write_report,
};
use cairn_model::Model;
use cairn_model::explain::{CamMethod, ExplainError, Explainer};
use cairn_photo::Photo;
use cairn_train::{RunFolder, answer};
use jiff::Zoned;

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::model_source::ModelSource;
use crate::progress::{bar, say};

/// Photos shown in a report, of mistakes and of right answers each.
const EXHIBITS: usize = 12;
/// Their longer side in the report at most, in pixels.
const EXHIBIT_SIDE: u32 = 240;

/// A model's answers to the test photos of a data set.
pub(crate) struct Tested<'a> {
    model: &'a Model,
    data: &'a Path,
    options: DataSetOptions,
    pub evaluation: Evaluation,
    /// An answer for each photo that could be read.
    pub answers: Vec<Answer>,
    /// The photos that could be read, and what the model said of each.
    photos: Vec<Example>,
    predictions: Vec<Option<Prediction>>,
    /// How many photos were left out; each was named.
    pub bad_photos: usize,
}

impl<'a> Tested<'a> {
    /// Tests `model` on the test photos of `data`, so many `together`.
    pub(crate) fn new(
        model: &'a Model,
        data: &'a Path,
        options: DataSetOptions,
        together: usize,
    ) -> Result<Self> {
        let classes = model.classes();
        let examples = options.open_test(data, &classes)?.examples;
        let paths: Vec<PathBuf> = examples.iter().map(|example| example.path.clone()).collect();
        let bar = bar(paths.len(), "testing");
        let mut scores = Scores::new(classes.len());
        let (mut answers, mut photos) = (Vec::new(), Vec::new());
        for ((_, output), example) in model.outputs_at(&paths, together).zip(examples) {
            match output {
                Ok(output) => {
                    scores.push(example.class, &output.logits);
                    let score = model.score(&output, model.landmark_score());
                    answers.push(answer(score, &output, Some(example.class)));
                    photos.push(example);
                }
                Err(error) => bar.suspend(|| say(format!("left out: {}", with_causes(&error)))),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if scores.is_empty() {
            bail!("{}: not one photo could be read", data.display());
        }
        let temperature = model.info().temperature;
        let evaluation = scores.evaluate(&classes, temperature);
        let predictions = scores.predictions(temperature);
        let bad_photos = paths.len() - photos.len();
        Ok(Self { model, data, options, evaluation, answers, photos, predictions, bad_photos })
    }

    /// Writes the report of the model, which came from `source`, and returns where the page is.
    pub(crate) fn write_report(&self, path: &Path, source: &ModelSource) -> Result<PathBuf> {
        let machine = source.path().and_then(RunFolder::record).map(|record| record.to_string());
        let history = source.path().and_then(RunFolder::history);
        let curves = history.as_ref().map(|history| history.curves());
        let training = history.as_ref().zip(curves.as_ref()).map(|(history, curves)| TrainingFacts {
            curves,
            machine: machine.as_deref().unwrap_or("an unknown machine"),
            seconds: history.train_seconds(),
        });
        let train_sizes = train_sizes(self.data, self.options, &self.model.classes());
        let inputs = ReportInputs {
            model: &source.path().map_or(source.to_string(), known_as),
            data: &known_as(self.data),
            date: &Zoned::now().strftime("%Y-%m-%d %H:%M").to_string(),
            recipe: Some(&self.model.info().provenance.recipe),
            evaluation: &self.evaluation,
            training,
            train_sizes: train_sizes.as_deref(),
            mistakes: &self.exhibits(&worst_mistakes(&self.predictions, EXHIBITS))?,
            hits: &self.exhibits(&surest_hits(&self.predictions, EXHIBITS))?,
        };
        Ok(write_report(path, &inputs)?)
    }

    /// The photos at these places, each with a heat map of the answer.
    fn exhibits(&self, places: &[usize]) -> Result<Vec<Exhibit>> {
        let explainer = Explainer::new(self.model, None, CamMethod::GradCam)?;
        let explained = self.model.info().classes.len();
        let mut exhibits = Vec::new();
        for &place in places {
            let (example, prediction) = (&self.photos[place], self.predictions[place]);
            // A photo that has gone since it was tested is no reason to go without a report.
            let (Ok(photo), Some(prediction)) = (self.model.load_photo(&example.path), prediction) else {
                continue;
            };
            // Landmarks learned from a few photos are none of the network's own.
            let classes = [prediction.class];
            let classes = if prediction.class.index() < explained { &classes[..] } else { &[] };
            let (seen, map) = match explainer.explain_views(&photo, classes) {
                Ok(mut explained) => (explained.part.of(&photo), explained.maps.pop()),
                Err(ExplainError::TooLong { .. }) => (self.model.info().preprocess.frame(&photo), None),
                Err(error) => return Err(error.into()),
            };
            let shown = thumbnail(&seen);
            let heat = map.map(|map| map.over(&shown));
            exhibits.push(Exhibit { photo: shown, heat, path: example.relative_path.clone(), prediction });
        }
        Ok(exhibits)
    }
}

/// What a report calls a file: it is handed on, and an absolute path tells of the machine.
fn known_as(path: &Path) -> String {
    let name = path.file_name().filter(|_| path.has_root()).map_or(path, Path::new);
    name.display().to_string()
}

/// The photo, its longer side no longer than exhibits are.
fn thumbnail(photo: &Photo) -> Photo {
    let longest = photo.width().max(photo.height());
    if longest <= EXHIBIT_SIDE {
        return photo.clone();
    }
    let side = |side: u32| (side * EXHIBIT_SIDE / longest).max(1);
    photo.resized(side(photo.width()), side(photo.height()))
}

/// For each of the model's classes, how many photos to learn from the data set has; `None` where it has no such part.
fn train_sizes(data: &Path, options: DataSetOptions, classes: &ClassList) -> Option<Vec<usize>> {
    let folder = ImageFolder::open_with(data, &ValidSplit::default(), options.manifest_paths()).ok()?;
    let mut sizes = vec![0; classes.len()];
    for example in folder.train.iter().chain(&folder.valid) {
        let class = folder.classes.get(example.class)?;
        if let Some(id) = classes.by_folder(&class.folder) {
            sizes[id.index()] += 1;
        }
    }
    Some(sizes)
}
