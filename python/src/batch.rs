//! Photos of a data set, side by side.

use std::path::PathBuf;

use cairn_dataset::{Tile, montage as tiles_on_paper};
use cairn_photo::{Limits, Photo, PictureKind, ReadSize};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{PhotoError, photo_error};

/// The photos at these paths as one picture (PNG), each with its name under it.
#[pyfunction]
pub(crate) fn montage<'py>(
    py: Python<'py>,
    photos: Vec<(PathBuf, String)>,
    columns: usize,
    side: u32,
) -> PyResult<Bound<'py, PyBytes>> {
    let picture = py.detach(|| {
        let size = ReadSize::Exactly { width: side, height: side };
        let tiles: Vec<Tile> = photos
            .into_iter()
            .map(|(path, name)| {
                let photo =
                    Photo::open_at(&path, size, &Limits::default()).map_err(|error| photo_error(&error))?;
                Ok(Tile { photo, name })
            })
            .collect::<PyResult<_>>()?;
        let picture = tiles_on_paper(&tiles, columns)
            .ok_or_else(|| PhotoError::new_err("there are no photos to show"))?;
        picture.encode(PictureKind::Png).map_err(|error| photo_error(&error))
    })?;
    Ok(PyBytes::new(py, &picture))
}
