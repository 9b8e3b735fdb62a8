//! A run: what a training left.

use std::path::{Path, PathBuf};

use cairn_dataset::path_text;
use cairn_eval::EvalError;
use cairn_train::{History, RunFolder, StopReason};
use pyo3::exceptions::{PyBaseException, PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::{TrainError, told, train_error};

/// What a training left.
#[pyclass(frozen, module = "cairn_landmarks._native")]
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    pub(crate) history: History,
    pub(crate) stopped: Option<StopReason>,
    /// Why each could not be read, beginning with its path.
    pub(crate) bad_photos: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// What ended the training before its time.
    pub(crate) error: Option<Py<PyBaseException>>,
}

#[pymethods]
impl Run {
    /// The run in a folder.
    #[staticmethod]
    fn open(path: PathBuf) -> PyResult<Self> {
        let record = RunFolder::record(&path).ok_or_else(|| {
            TrainError::new_err(format!("{}: not a run folder that can be read", path_text(&path)))
        })?;
        let history = RunFolder::history(&path).unwrap_or_default();
        let (bad_photos, warnings) = (Vec::new(), Vec::new());
        Ok(Self { path, history, stopped: record.ended, bad_photos, warnings, error: None })
    }

    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    /// The records of all epochs, as JSON.
    #[getter]
    fn history(&self) -> PyResult<String> {
        serde_json::to_string(&self.history).map_err(train_error)
    }

    /// The epoch of the lowest validation loss, counted from 1.
    #[getter]
    fn best_epoch(&self) -> Option<usize> {
        self.history.best().map(|record| record.epoch)
    }

    #[getter]
    fn stopped(&self) -> Option<&'static str> {
        self.stopped.map(|stopped| match stopped {
            StopReason::Epochs => "epochs",
            StopReason::Minutes => "minutes",
            StopReason::EarlyStopping => "early-stopping",
            StopReason::Interrupted => "interrupted",
            StopReason::Diverged => "diverged",
        })
    }

    #[getter]
    fn bad_photos(&self) -> Vec<String> {
        self.bad_photos.clone()
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        self.error.as_ref().map(|error| error.clone_ref(py))
    }

    /// The curves of loss and accuracy, as an SVG document.
    fn curves(&self) -> PyResult<String> {
        self.history.curves().to_svg().map_err(|error| curves_error(&error))
    }

    /// Writes the curves as PNG or SVG, as the file's name ends.
    fn save_curves(&self, path: PathBuf) -> PyResult<()> {
        self.history.curves().write_to(&path).map_err(|error| curves_error(&error))
    }
}

fn curves_error(error: &EvalError) -> PyErr {
    match error {
        EvalError::Write { .. } => PyOSError::new_err(told(error)),
        EvalError::PictureKind { .. } | EvalError::Draw { .. } => PyValueError::new_err(told(error)),
    }
}
