//! The curves of a training run: loss and accuracy against epoch.

use crate::error::EvalError;
use crate::picture::{LineChart, Picture, PictureSize, Values};
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

/// Size of the pictures written to a run folder.
const FILE_SIZE: PictureSize = PictureSize { width: 800, height: 480 };

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

    pub(crate) fn loss_chart(&self, size: PictureSize) -> LineChart<'_> {
        let (train, valid, best_epoch) = (&self.train_loss, &self.valid_loss, self.best_epoch);
        LineChart { title: "Loss", values: Values::Loss, train, valid, best_epoch, size }
    }

    pub(crate) fn accuracy_chart(&self, size: PictureSize) -> LineChart<'_> {
        let (train, valid, best_epoch) = (&self.train_accuracy, &self.valid_accuracy, self.best_epoch);
        LineChart { title: "Accuracy", values: Values::Fraction, train, valid, best_epoch, size }
    }
}
