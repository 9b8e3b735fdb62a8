//! Exported ONNX models run in-process and held to cairn's own answers.

use cairn_photo::Photo;
use rten::Value;

use super::PhotoElement;
use crate::Model;

/// How far a probability of an exported model may be from cairn's own: sums in another order differ by less.
pub const TOLERANCE: f32 = 1e-4;

/// An ONNX model of [`to_onnx`](super::to_onnx), run by rten (<https://github.com/robertknight/rten>): code that shares
/// nothing with what wrote it.
pub struct OnnxModel {
    model: rten::Model,
    photo: PhotoElement,
}

/// Why an exported model cannot be verified, or what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be opened.
    #[error("the exported model cannot be opened: {0}")]
    Open(#[from] rten::LoadError),
    /// It cannot be run on a photo.
    #[error("the exported model cannot be run: {0}")]
    Run(#[from] rten::RunError),
    /// What it gives is no list of numbers for each photo.
    #[error("the output of the exported model is not probabilities: {0}")]
    Output(#[from] rten::TryFromValueError),
    /// What it gives are not as many numbers as there are classes.
    #[error("the exported model gives {found} probabilities for {classes} classes")]
    Classes {
        /// How many it gives.
        found: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// The photo cannot be read.
    #[error(transparent)]
    Photo(#[from] cairn_photo::PhotoError),
    /// It says something else than cairn.
    #[error(
        "the exported model's probabilities differ from cairn's by up to {0:e}; {TOLERANCE:e} is allowed"
    )]
    Differs(f32),
}

impl OnnxModel {
    /// Opens the bytes of an exported model, which takes photos of this kind.
    ///
    /// # Errors
    /// When they are no ONNX model, or one that rten cannot run.
    pub fn new(bytes: Vec<u8>, photo: PhotoElement) -> Result<Self, VerifyError> {
        Ok(Self { model: rten::Model::load(bytes)?, photo })
    }

    /// The probability of each class.
    ///
    /// # Errors
    /// When the model cannot be run, or gives something else.
    pub fn probabilities(&self, photo: &Photo) -> Result<Vec<f32>, VerifyError> {
        let shape = [1, 3, photo.height() as usize, photo.width() as usize];
        let levels = (0..3).flat_map(|channel| photo.pixels().iter().skip(channel).step_by(3).copied());
        // A photo has three levels for each of its pixels, so that they fill the shape.
        let input: Value = match self.photo {
            PhotoElement::Uint8 => {
                Value::from_shape(shape, levels.collect::<Vec<u8>>()).expect("levels fill the shape")
            }
            PhotoElement::Float => {
                let shares: Vec<f32> = levels.map(|level| f32::from(level) / 255.0).collect();
                Value::from_shape(shape, shares).expect("levels fill the shape")
            }
        };
        let output = self.model.run_one(input.into(), None)?;
        let ([_, _], probabilities) = output.into_shape_vec::<f32, 2>()?;
        Ok(probabilities)
    }

    /// The largest difference between the model's probabilities for the photo and those of `expected`.
    ///
    /// # Errors
    /// [`VerifyError::Differs`] beyond [`TOLERANCE`]; else as [`OnnxModel::probabilities`].
    pub fn verify(&self, expected: &Model, photo: &Photo) -> Result<f32, VerifyError> {
        let expected = expected.probabilities(photo)?;
        let found = self.probabilities(photo)?;
        if found.len() != expected.len() {
            return Err(VerifyError::Classes { found: found.len(), classes: expected.len() });
        }
        // In total order what is no number is the largest.
        let differences = found.iter().zip(&expected).map(|(a, b)| (a - b.value()).abs());
        let largest = differences.max_by(f32::total_cmp).unwrap_or_default();
        if largest <= TOLERANCE { Ok(largest) } else { Err(VerifyError::Differs(largest)) }
    }
}
