//! The curves of a training run: loss and accuracy against epoch.

use crate::error::EvalError;
use crate::picture::{Canvas, DrawResult, LineChart, Picture, PictureSize, Values};
use plotters::prelude::DrawingBackend;
use std::path::Path;

/// What a training run measured, epoch after epoch: element 0 belongs to epoch 1.
///
/// The lists may differ in length, and values that are not numbers leave a gap in their curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// Mean cross-entropy over the training photos, in nats.
    pub train_loss: Vec<f64>,
    /// Mean cross-entropy over the validation photos, in nats.
    pub valid_loss: Vec<f64>,
    /// Fraction of training photos named rightly, 0 to 1.
    pub train_accuracy: Vec<f64>,
    /// Fraction of validation photos named rightly, 0 to 1.
    pub valid_accuracy: Vec<f64>,
    /// The epoch whose model was kept, counted from 1.
    pub best_epoch: Option<usize>,
}

/// Size of the pictures written to a run folder: their text can still be read on a phone.
const FILE_SIZE: PictureSize = PictureSize { width: 460, height: 320 };

impl Curves {
    /// The pictures that [`Curves::write`] writes.
    pub const FILES: [&str; 4] = ["loss.svg", "loss.png", "accuracy.svg", "accuracy.png"];

    /// Writes `loss.svg`, `loss.png`, `accuracy.svg` and `accuracy.png` into `folder`, which must exist. A
    /// file already there is replaced as a whole, so that a run may call this after every epoch.
    ///
    /// # Errors
    /// [`EvalError::Write`] when a file cannot be written, [`EvalError::Draw`] when a picture cannot be
    /// drawn.
    pub fn write(&self, folder: &Path) -> Result<(), EvalError> {
        self.loss_chart(FILE_SIZE).write(folder, "loss")?;
        self.accuracy_chart(FILE_SIZE).write(folder, "accuracy")
    }

    /// Loss and accuracy side by side, as an SVG document.
    ///
    /// # Errors
    /// [`EvalError::Draw`] when the picture cannot be drawn.
    pub fn to_svg(&self) -> Result<String, EvalError> {
        SideBySide(self).svg()
    }

    /// Writes loss and accuracy side by side to one PNG or SVG file, as its name ends.
    ///
    /// # Errors
    /// When the name ends otherwise, or the picture cannot be drawn or written.
    pub fn write_to(&self, path: &Path) -> Result<(), EvalError> {
        SideBySide(self).write_file(path)
    }

    pub(crate) fn loss_chart(&self, size: PictureSize) -> LineChart<'_> {
        let (train, valid, best_epoch) = (&self.train_loss, &self.valid_loss, self.best_epoch);
        LineChart { title: "Loss", values: Values::Loss, train, valid, best_epoch, size }
    }

    pub(crate) fn accuracy_chart(&self, size: PictureSize) -> LineChart<'_> {
        let (train, valid, best_epoch) = (&self.train_accuracy, &self.valid_accuracy, self.best_epoch);
        LineChart { title: "Accuracy", values: Values::Fraction, train, valid, best_epoch, size }
    }
}

/// The loss on the left, the accuracy on the right.
struct SideBySide<'a>(&'a Curves);

impl Picture for SideBySide<'_> {
    fn title(&self) -> &str {
        "Loss and accuracy"
    }

    fn size(&self) -> PictureSize {
        PictureSize { width: 2 * FILE_SIZE.width, ..FILE_SIZE }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let (left, right) = canvas.split_horizontally(FILE_SIZE.width * scale);
        self.0.loss_chart(FILE_SIZE).draw(&left, scale)?;
        self.0.accuracy_chart(FILE_SIZE).draw(&right, scale)
    }
}
