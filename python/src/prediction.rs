//! What a model says of a photo.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A landmark that a photo may show.
#[pyclass(frozen, get_all, from_py_object, module = "cairn_landmarks")]
#[derive(Clone)]
pub(crate) struct Landmark {
    name: String,
    #[pyo3(name = "class_")]
    class: String,
    probability: f32,
    latitude: Option<f64>,
    longitude: Option<f64>,
    locality: Option<String>,
    country: Option<String>,
}

impl From<&cairn_model::Landmark> for Landmark {
    fn from(landmark: &cairn_model::Landmark) -> Self {
        let place = landmark.place.as_ref();
        Self {
            name: landmark.name.clone(),
            class: landmark.class.clone(),
            probability: landmark.probability.value(),
            latitude: place.map(|place| place.latitude.degrees()),
            longitude: place.map(|place| place.longitude.degrees()),
            locality: place.map(|place| place.locality.clone()),
            country: place.map(|place| place.country.clone()),
        }
    }
}

#[pymethods]
impl Landmark {
    fn __repr__(&self) -> String {
        format!("Landmark({:?}, {:.1}%)", self.name, self.probability * 100.0)
    }
}

/// What a model says of a photo.
#[pyclass(frozen, get_all, module = "cairn_landmarks")]
pub(crate) struct Prediction {
    landmarks: Vec<Landmark>,
    is_landmark: Option<bool>,
    sure: Option<bool>,
    landmark_score: f64,
}

impl From<&cairn_model::Prediction> for Prediction {
    fn from(prediction: &cairn_model::Prediction) -> Self {
        Self {
            landmarks: prediction.landmarks.iter().map(Into::into).collect(),
            is_landmark: prediction.is_landmark,
            sure: prediction.sure,
            landmark_score: prediction.landmark_score,
        }
    }
}

#[pymethods]
impl Prediction {
    fn __repr__(&self) -> String {
        let landmarks: Vec<String> = self.landmarks.iter().map(Landmark::__repr__).collect();
        let is_landmark = self.is_landmark.map_or("None", |is| if is { "True" } else { "False" });
        format!("Prediction([{}], is_landmark={is_landmark})", landmarks.join(", "))
    }
}

/// A row of a table: what a model says of a photo, and the width and height of the picture in its file; or why it cannot be
/// read.
#[derive(IntoPyObject)]
pub(crate) enum Labelled {
    Read(Prediction, u32, u32),
    Unread(String),
}

impl From<(cairn_model::Prediction, u32, u32)> for Labelled {
    fn from((prediction, width, height): (cairn_model::Prediction, u32, u32)) -> Self {
        Self::Read((&prediction).into(), width, height)
    }
}

/// A photo and what to say of it.
#[pyclass(frozen, get_all, module = "cairn_landmarks._native")]
pub(crate) struct Suggestion {
    sentence: String,
    prediction: Py<Prediction>,
    /// A small JPEG of the photo, upright.
    thumbnail: Py<PyBytes>,
}

impl Suggestion {
    pub(crate) fn new(
        py: Python<'_>,
        sentence: String,
        prediction: &cairn_model::Prediction,
        thumbnail: &[u8],
    ) -> PyResult<Self> {
        Ok(Self {
            sentence,
            prediction: Py::new(py, Prediction::from(prediction))?,
            thumbnail: PyBytes::new(py, thumbnail).unbind(),
        })
    }
}
