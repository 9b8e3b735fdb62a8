//! A model tested on labelled photos.
//!
//! Here, above the crates of models and of metrics: neither of them knows the other.

use cairn_dataset::Example;
use cairn_eval::{Answer, Evaluation, Exhibit, Prediction, Scores};
use cairn_model::Model;
use cairn_model::explain::{CamMethod, ExplainError, Explainer};
use cairn_photo::{Photo, PhotoError};

use super::answer::answer;

/// Longer side of a photo in a report at most, in pixels.
const EXHIBIT_SIDE: u32 = 240;

/// A model's answers to labelled photos, and how good they are.
#[derive(Debug)]
pub struct ModelTest<'a> {
    model: &'a Model,
    /// All figures.
    pub evaluation: Evaluation,
    /// An answer for each photo that could be read.
    pub answers: Vec<Answer>,
    /// The photos that could be read.
    pub examples: Vec<Example>,
    /// What the model says of each of these; `None` where its logits have no softmax.
    pub predictions: Vec<Option<Prediction>>,
    /// Photos that were left out.
    pub bad_photos: Vec<PhotoError>,
}

impl<'a> ModelTest<'a> {
    /// Tests `model` on `examples`, whose classes are its [classes](Model::classes). `on_photo` is called after each photo,
    /// with what is wrong with one that cannot be read. `None` if none can.
    pub fn run(
        model: &'a Model,
        examples: Vec<Example>,
        mut on_photo: impl FnMut(Option<&PhotoError>),
    ) -> Option<Self> {
        let classes = model.classes();
        let mut scores = Scores::new(classes.len());
        let (mut answers, mut read, mut bad_photos) = (Vec::new(), Vec::new(), Vec::new());
        let outputs = model.outputs(&examples);
        for (output, example) in outputs.zip(&examples) {
            on_photo(output.as_ref().err());
            match output {
                Ok(output) => {
                    scores.push(example.class, &output.logits);
                    let score = model.score(&output, model.landmark_score());
                    answers.push(answer(score, &output, Some(example.class)));
                    read.push(example.clone());
                }
                Err(error) => bad_photos.push(error),
            }
        }
        if scores.is_empty() {
            return None;
        }
        let temperature = model.info().temperature;
        let evaluation = scores.evaluate(&classes, temperature);
        let predictions = scores.predictions(temperature);
        Some(Self { model, evaluation, answers, examples: read, predictions, bad_photos })
    }

    /// The photos at these places of [`ModelTest::examples`], each with a heat map of the answer. One that can no longer
    /// be read is left out.
    ///
    /// # Errors
    /// When the network's graph does not fit its weights.
    pub fn exhibits(&self, places: &[usize]) -> Result<Vec<Exhibit>, ExplainError> {
        let explainer = Explainer::new(self.model, None, CamMethod::GradCam)?;
        let explained = self.model.info().classes.len();
        let mut exhibits = Vec::new();
        for &place in places {
            let (example, prediction) = (&self.examples[place], self.predictions[place]);
            let (Ok(photo), Some(prediction)) = (self.model.load_photo(example), prediction) else {
                continue;
            };
            // Landmarks learned from a few photos are none of the network's own.
            let classes = [prediction.class];
            let classes = if prediction.class.index() < explained { &classes[..] } else { &[] };
            let (seen, map) = match explainer.explain_views(&photo, classes) {
                Ok(mut explained) => (explained.part.of(&photo), explained.maps.pop()),
                Err(ExplainError::TooLong { .. }) => (self.model.info().preprocess.frame(&photo), None),
                Err(error) => return Err(error),
            };
            let shown = thumbnail(&seen);
            let heat = map.map(|map| map.over(&shown));
            exhibits.push(Exhibit { photo: shown, heat, path: example.relative_path(), prediction });
        }
        Ok(exhibits)
    }
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
