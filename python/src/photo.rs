//! A photo as Python code hands it over.

use std::path::PathBuf;

use cairn_model::PhotoSource;
use cairn_photo::Photo;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// A file, a file's bytes, or width, height and RGB pixels.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Pixels((u32, u32, PyBackedBytes)),
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl Source {
    pub(crate) fn photo(self) -> PyResult<PhotoSource> {
        Ok(match self {
            Self::Path(path) => path.into(),
            Self::Bytes(bytes) => PhotoSource::bytes(bytes.to_vec(), "photo"),
            Self::Pixels((width, height, pixels)) => Photo::from_pixels(width, height, pixels.to_vec())
                .ok_or_else(|| {
                    PyValueError::new_err("pixels are [height, width, 3] bytes, and at least one")
                })?
                .into(),
        })
    }
}

/// The photos, in their order.
pub(crate) fn photos(sources: Vec<Source>) -> PyResult<Vec<PhotoSource>> {
    sources.into_iter().map(Source::photo).collect()
}
