//! A model brought to 8 bits: measured on photos, held to its accuracy, and with the worst layers in floats where that falls.

use std::path::PathBuf;

use cairn_dataset::Example;
use cairn_model::{Int8Calibration, Model, QuantiseError};
use cairn_photo::{Photo, PhotoError};

/// Photos on which activations are measured, at most: more hardly change a range.
const CALIBRATION_PHOTOS: usize = 256;
/// Photos that go through the network together while they are measured.
const TOGETHER: usize = 8;
/// Photos on which each layer by itself is compared with floats.
const COMPARED_PHOTOS: usize = 16;

/// How a model is brought to 8 bits.
#[derive(Debug, Clone)]
pub struct Int8Job<'a> {
    /// The model.
    pub model: &'a Model,
    /// Photos on which activations are measured; of many, some that are evenly apart.
    pub calibration: &'a [PathBuf],
    /// Labelled photos, of the model's classes, on which its accuracy is held to; where there are none, it is not measured.
    pub labelled: &'a [Example],
    /// By how many points the accuracy may fall.
    pub most_points: f64,
}

/// What is going on.
#[derive(Debug)]
pub enum Int8Event<'a> {
    /// So many photos will be looked at now, for this.
    Begin(&'static str, usize),
    /// One was; with what is wrong with one that cannot be read.
    Photo(Option<&'a PhotoError>),
    /// The accuracy fell by so many points, with so many layers in floats; more will be.
    TooLow(f64, usize),
}

/// A model in 8 bits.
#[derive(Debug)]
pub struct Int8Outcome {
    /// The model.
    pub model: Model,
    /// Photos on which activations were measured.
    pub calibrated_on: usize,
    /// Of the labelled photos, how many the model named right before and does now, and how many could be read; `None` where
    /// there are none.
    pub accuracy: Option<Int8Accuracy>,
    /// The layers in floats, worst first.
    pub float: Vec<String>,
    /// Photos that could not be read.
    pub bad_photos: usize,
}

/// Photos named right, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int8Accuracy {
    /// In floats.
    pub before: usize,
    /// In 8 bits.
    pub after: usize,
    /// Of so many.
    pub total: usize,
}

/// Why a model cannot be brought to 8 bits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Int8Error {
    /// The network cannot be computed in 8 bits.
    #[error("the model cannot be computed in 8 bits")]
    Quantise(#[from] QuantiseError),
    /// Not one photo to measure activations on.
    #[error("no photo could be read to measure activations on; name a data set or a folder of photos")]
    NoPhotos,
    /// Photos are framed to anything but a square.
    #[error("the model looks at photos of {0} x {1} pixels; only square ones can be computed in 8 bits")]
    Oblong(u32, u32),
}

impl Int8Accuracy {
    /// By how many points the accuracy rose; below zero where it fell.
    pub fn points(self) -> f64 {
        100.0 * (self.after as f64 - self.before as f64) / self.total.max(1) as f64
    }
}

impl Int8Job<'_> {
    /// Brings the model to 8 bits.
    ///
    /// # Errors
    /// When no photo can be read, or the network cannot be computed so.
    pub fn run(&self, mut on_event: impl FnMut(Int8Event<'_>)) -> Result<Int8Outcome, Int8Error> {
        let preprocess = &self.model.info().preprocess;
        if preprocess.input_width() != preprocess.input_height() {
            return Err(Int8Error::Oblong(preprocess.input_width(), preprocess.input_height()));
        }
        let (calibration, photos, mut bad_photos) = self.calibrate(&mut on_event)?;
        let mut model = self.model.to_int8(&calibration, [])?;
        let outcome = |model, accuracy, float, bad_photos| Int8Outcome {
            model,
            calibrated_on: calibration.photos(),
            accuracy,
            float,
            bad_photos,
        };
        if self.labelled.is_empty() {
            return Ok(outcome(model, None, Vec::new(), bad_photos));
        }
        let (before, total, bad) = self.right(self.model, "accuracy in floats", &mut on_event);
        bad_photos += bad;
        let after = |model: &Model, on_event: &mut dyn FnMut(Int8Event<'_>)| {
            let (after, ..) = self.right(model, "accuracy in 8 bits", on_event);
            Int8Accuracy { before, after, total }
        };
        let mut accuracy = after(&model, &mut on_event);
        let mut float = Vec::new();
        let mut worst: Option<Vec<String>> = None;
        while -accuracy.points() > self.most_points && float.len() < calibration.layers().len() {
            on_event(Int8Event::TooLow(-accuracy.points(), float.len()));
            if worst.is_none() {
                let errors = self.model.int8_errors(&calibration, &photos)?;
                worst = Some(errors.into_iter().map(|(layer, _)| layer).collect());
            }
            // One more, then twice as many each time: no more tries than a number has digits.
            let count = (2 * float.len()).max(1);
            float = worst.iter().flatten().take(count).cloned().collect();
            model = self.model.to_int8(&calibration, float.clone())?;
            accuracy = after(&model, &mut on_event);
        }
        Ok(outcome(model, Some(accuracy), float, bad_photos))
    }

    /// Measures activations; with the first of the photos, and how many could not be read.
    fn calibrate(
        &self,
        on_event: &mut dyn FnMut(Int8Event<'_>),
    ) -> Result<(Int8Calibration, Vec<Photo>, usize), Int8Error> {
        let chosen = evenly(self.calibration, CALIBRATION_PHOTOS);
        on_event(Int8Event::Begin("activations", chosen.len()));
        let mut calibration = Int8Calibration::new(self.model);
        let (mut compared, mut bad_photos, mut batch) = (Vec::new(), 0, Vec::new());
        let every = chosen.len().div_ceil(COMPARED_PHOTOS).max(1);
        for (index, path) in chosen.into_iter().enumerate() {
            match self.model.load_photo(path.as_path()) {
                Ok(photo) => {
                    on_event(Int8Event::Photo(None));
                    if index % every == 0 {
                        compared.push(photo.clone());
                    }
                    batch.push(photo);
                }
                Err(error) => {
                    bad_photos += 1;
                    on_event(Int8Event::Photo(Some(&error)));
                }
            }
            if batch.len() == TOGETHER {
                calibration.observe(self.model, &std::mem::take(&mut batch))?;
            }
        }
        if !batch.is_empty() {
            calibration.observe(self.model, &batch)?;
        }
        if calibration.photos() == 0 {
            return Err(Int8Error::NoPhotos);
        }
        Ok((calibration, compared, bad_photos))
    }

    /// How many labelled photos a model names right, of how many, and how many could not be read.
    fn right(
        &self,
        model: &Model,
        what: &'static str,
        on_event: &mut dyn FnMut(Int8Event<'_>),
    ) -> (usize, usize, usize) {
        on_event(Int8Event::Begin(what, self.labelled.len()));
        let (mut right, mut total, mut bad) = (0, 0, 0);
        let outputs = model.outputs(self.labelled.iter().map(|example| example.path()));
        for (output, example) in outputs.zip(self.labelled) {
            on_event(Int8Event::Photo(output.as_ref().err()));
            match output {
                Ok(output) => {
                    total += 1;
                    right += usize::from(output.likeliest() == Some(example.class));
                }
                Err(_) => bad += 1,
            }
        }
        (right, total, bad)
    }
}

/// So many of these at most, evenly apart.
fn evenly<T>(all: &[T], most: usize) -> Vec<&T> {
    let count = all.len().min(most);
    (0..count).map(|index| &all[index * all.len() / count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_chosen_evenly_and_all_where_there_are_few() {
        let all: Vec<usize> = (0..1000).collect();
        let chosen = evenly(&all, 250);
        assert!(chosen.len() == 250 && chosen.windows(2).all(|pair| pair[1] - pair[0] == 4));
        assert_eq!(evenly(&all[..3], 250), [&0, &1, &2]);
        assert!(evenly(&all[..0], 250).is_empty());
    }

    #[test]
    fn points_are_hundredths_of_the_photos() {
        assert_eq!(Int8Accuracy { before: 100, after: 98, total: 200 }.points(), -1.0);
        assert_eq!(Int8Accuracy { before: 0, after: 0, total: 0 }.points(), 0.0);
    }
}
