//! The Python module `cairn_landmarks._native`: what the package's Python code calls. Arrays are made there; here they are
//! bytes, so that any NumPy will do.

// Python's documentation is in the package.
#![allow(missing_docs)]

mod batch;
mod drawn;
mod model;
mod photo;
mod prediction;
mod run;
mod training;

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

create_exception!(cairn_landmarks, PhotoError, PyValueError, "A photo cannot be read.");
create_exception!(
    cairn_landmarks,
    ModelError,
    PyValueError,
    "A model cannot be opened, or cannot do what is asked."
);
create_exception!(
    cairn_landmarks,
    TrainError,
    PyValueError,
    "A training cannot begin or continue, or a run cannot be read."
);

/// An error with its causes, each after a colon.
fn told(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !line.ends_with(&message) {
            line = format!("{line}: {message}");
        }
        cause = error.source();
    }
    line
}

fn photo_error(error: &cairn_model::PhotoError) -> PyErr {
    PhotoError::new_err(told(error))
}

fn model_error(error: impl std::error::Error) -> PyErr {
    ModelError::new_err(told(&error))
}

fn train_error(error: impl std::error::Error) -> PyErr {
    TrainError::new_err(told(&error))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PhotoError", module.py().get_type::<PhotoError>())?;
    module.add("ModelError", module.py().get_type::<ModelError>())?;
    module.add("TrainError", module.py().get_type::<TrainError>())?;
    module.add_class::<model::Model>()?;
    module.add_class::<prediction::Prediction>()?;
    module.add_class::<prediction::Landmark>()?;
    module.add_class::<prediction::Suggestion>()?;
    module.add_class::<run::Run>()?;
    module.add_function(wrap_pyfunction!(batch::montage, module)?)?;
    module.add_function(wrap_pyfunction!(drawn::drawn_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(drawn::draw, module)?)?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(training::resume, module)?)?;
    Ok(())
}
