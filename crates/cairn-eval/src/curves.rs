//! The curves of a training run: loss and accuracy against epoch.

use crate::chart::{LineChart, Values};
use crate::error::EvalError;
use crate::picture::{Picture, PictureSize};
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
    /// Writes `loss.svg`, `loss.png`, `accuracy.svg` and `accuracy.png` into `folder`, which must exist. A
    /// file already there is replaced as a whole, so that a run may call this after every epoch.
    ///
    /// # Errors
    /// [`EvalError::Write`] when a file cannot be written, [`EvalError::Draw`] when a picture cannot be
    /// drawn.
    pub fn write(&self, folder: &Path) -> Result<(), EvalError> {
        for (name, chart) in [("loss", self.loss_chart()), ("accuracy", self.accuracy_chart())] {
            for extension in ["svg", "png"] {
                chart.write(&folder.join(name).with_extension(extension), FILE_SIZE)?;
            }
        }
        Ok(())
    }

    pub(crate) fn loss_chart(&self) -> LineChart<'_> {
        self.chart("Loss", Values::Loss, &self.train_loss, &self.valid_loss)
    }

    pub(crate) fn accuracy_chart(&self) -> LineChart<'_> {
        self.chart("Accuracy", Values::Fraction, &self.train_accuracy, &self.valid_accuracy)
    }

    fn chart<'a>(
        &self,
        title: &'static str,
        values: Values,
        train: &'a [f64],
        valid: &'a [f64],
    ) -> LineChart<'a> {
        LineChart { title, values, train, valid, best_epoch: self.best_epoch }
    }
}
