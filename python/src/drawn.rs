//! Drawn photos of made-up landmarks, as `cairn demo` has them.

use std::path::PathBuf;

use cairn_synthetic::{DrawnSet, DrawnSetError, Kind};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::told;

/// The names of all made-up landmarks, in the order of their class folders.
#[pyfunction]
pub(crate) fn drawn_kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.name()).collect()
}

/// Writes a data set of drawn photos of these kinds: `train` and `test` of each, `side` pixels on the longer side.
#[pyfunction]
pub(crate) fn draw(
    py: Python<'_>,
    folder: PathBuf,
    kinds: Vec<String>,
    train: usize,
    test: usize,
    side: u32,
    seed: u64,
) -> PyResult<()> {
    let named = |name: &String| {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            PyValueError::new_err(format!(
                "no made-up landmark is called {name:?}; there are {}",
                drawn_kinds().join(", ")
            ))
        })
    };
    let kinds = kinds.iter().map(named).collect::<PyResult<Vec<_>>>()?;
    if side == 0 {
        return Err(PyValueError::new_err("a photo has at least one pixel"));
    }
    let set = DrawnSet { seed, train_per_kind: train, test_per_kind: test, side, kinds };
    py.detach(|| set.write(&folder, |_, _| ())).map(drop).map_err(|error| match error {
        DrawnSetError::Io { .. } => PyOSError::new_err(told(&error)),
        _ => PyValueError::new_err(told(&error)),
    })
}
