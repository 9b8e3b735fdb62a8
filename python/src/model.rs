//! A model.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use cairn_dataset::{ImageFolder, PhotoListing, Tile, ValidSplit, montage, path_text};
use cairn_model::explain::{CamMethod, Explained, Explainer};
use cairn_model::{ModelOptions, ModelOutput, PhotoSource, Precision, Probability, Threshold, shipped};
use cairn_photo::{Photo, PictureKind};
use cairn_train::{ModelTest, calibrate};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes};

use crate::photo::{Source, photos};
use crate::prediction::{Labelled, Prediction, Suggestion};
use crate::{PhotoError, model_error, photo_error, told};

/// The longest side of a photo that is shown.
const SHOWN: u32 = 480;
/// How many landmarks a suggestion names.
const SUGGESTED: usize = 3;

/// Where a model is.
#[derive(FromPyObject)]
pub(crate) enum ModelPlace {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

#[pyclass(frozen, module = "cairn_landmarks._native")]
pub(crate) struct Model {
    model: cairn_model::Model,
}

/// Rows of numbers: an array's bytes, how many rows there are, and the rows of photos that could not be read, which are NaN,
/// with why.
type Rows<'py> = (Bound<'py, PyByteArray>, usize, Vec<(usize, String)>);

#[pymethods]
impl Model {
    #[staticmethod]
    #[pyo3(signature = (source, threshold, sure, views, precision, threads))]
    fn open(
        py: Python<'_>,
        source: ModelPlace,
        threshold: Option<f64>,
        sure: bool,
        views: Option<&str>,
        precision: Option<&str>,
        threads: Option<NonZeroUsize>,
    ) -> PyResult<Self> {
        let views = views
            .map(|name| serde_json::from_value(name.replace("none", "one").into()))
            .transpose()
            .map_err(|error| PyValueError::new_err(format!("views: {error}")))?;
        let precision = precision.map(str::parse::<Precision>).transpose();
        let options = ModelOptions {
            precision: precision.map_err(|error| PyValueError::new_err(error.to_string()))?,
            views,
            threshold: Threshold::chosen(sure, threshold),
            threads,
            ..ModelOptions::default()
        };
        py.detach(|| {
            let model = match source {
                ModelPlace::Path(path) if path == Path::new("shipped") => shipped::open(),
                ModelPlace::Path(path) => cairn_model::Model::open(path),
                ModelPlace::Bytes(bytes) => cairn_model::Model::from_bytes(&bytes, "model"),
            };
            let model = model.map_err(model_error)?.with_options(options).map_err(model_error)?;
            Ok(Self { model })
        })
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.model.save(&path)).map_err(model_error)
    }

    /// Class folders and the names of landmarks, in class order.
    fn classes(&self) -> Vec<(String, String)> {
        let classes = self.model.classes();
        classes
            .iter()
            .map(|(_, class)| (class.folder.clone(), self.model.landmark_name(class).to_owned()))
            .collect()
    }

    fn predict(&self, py: Python<'_>, photo: Source, k: usize) -> PyResult<Prediction> {
        let photo = photo.photo()?;
        let prediction = py.detach(|| self.model.predict(photo, k)).map_err(|error| photo_error(&error))?;
        Ok((&prediction).into())
    }

    fn suggest(&self, py: Python<'_>, photo: Source) -> PyResult<Suggestion> {
        let photo = photo.photo()?;
        let (sentence, prediction, thumbnail) = py.detach(|| {
            let suggestion = match &photo {
                PhotoSource::Path(path) => self.model.suggest(path),
                _ => self.model.load_photo(photo).map(|photo| {
                    let prediction = self.model.prediction(&self.model.output_of(&photo), SUGGESTED);
                    cairn_model::Suggestion { photo, prediction }
                }),
            };
            let suggestion = suggestion.map_err(|error| photo_error(&error))?;
            let small = suggestion.photo.no_larger_than(SHOWN);
            let thumbnail = small.encode(PictureKind::Jpeg).map_err(|error| photo_error(&error))?;
            PyResult::Ok((suggestion.sentence(), suggestion.prediction, thumbnail))
        })?;
        Suggestion::new(py, sentence, &prediction, &thumbnail)
    }

    /// Probabilities, f32 of `[photos, classes]`.
    fn probabilities<'py>(
        &self,
        py: Python<'py>,
        sources: Vec<Source>,
        raise_errors: bool,
    ) -> PyResult<Rows<'py>> {
        let temperature = self.model.info().temperature;
        let of = move |output: &ModelOutput| {
            Probability::softmax(&output.logits, temperature).into_iter().map(Probability::value).collect()
        };
        self.rows(py, photos(sources)?, raise_errors, of)
    }

    /// Embeddings, f32 of `[photos, features]`.
    fn embeddings<'py>(
        &self,
        py: Python<'py>,
        sources: Vec<Source>,
        raise_errors: bool,
    ) -> PyResult<Rows<'py>> {
        self.rows(py, photos(sources)?, raise_errors, |output| output.embedding.values().to_vec())
    }

    /// What the model says of each photo, and the size of the picture in its file; or why it cannot be read.
    fn label(&self, py: Python<'_>, sources: Vec<Source>, k: usize) -> PyResult<Vec<Labelled>> {
        let photos = photos(sources)?;
        py.detach(|| {
            let labelled = self.model.map_sized_photos(photos, move |model, sized| {
                (model.prediction(&model.output_of(&sized.photo), k), sized.width, sized.height)
            });
            labelled.map(|outcome| outcome.map_or_else(unlabelled, |labels| Ok(labels.into()))).collect()
        })
    }

    /// Which part of a photo a class was seen by: the bytes of f32 of `[height, width]`, height and width. Without a class it
    /// is the likeliest.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        photo: Source,
        landmark: Option<&str>,
    ) -> PyResult<(Bound<'py, PyByteArray>, usize, usize)> {
        let photo = photo.photo()?;
        let map = py.detach(|| {
            let Explanation { explained, .. } = self.explained(photo, landmark)?;
            explained.maps.into_iter().next().ok_or_else(|| PyValueError::new_err("no map"))
        })?;
        Ok((array(py, map.values()), map.height(), map.width()))
    }

    /// The part of a photo that was looked at, and the same under the colours of what a class was seen by, as one picture
    /// (PNG).
    fn show_explanation<'py>(
        &self,
        py: Python<'py>,
        photo: Source,
        landmark: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let photo = photo.photo()?;
        let picture = py.detach(|| {
            let Explanation { photo, landmark, explained } = self.explained(photo, landmark)?;
            let seen = explained.part.of(&photo).no_larger_than(SHOWN);
            let heat =
                explained.maps.iter().map(|map| Tile { photo: map.over(&seen), name: landmark.clone() });
            let tiles: Vec<Tile> =
                [Tile { photo: seen.clone(), name: String::new() }].into_iter().chain(heat).collect();
            let picture = montage(&tiles, tiles.len()).ok_or_else(|| PyValueError::new_err("no map"))?;
            picture.encode(PictureKind::Png).map_err(|error| photo_error(&error))
        })?;
        Ok(PyBytes::new(py, &picture))
    }

    /// The model, calibrated on the data set that it was trained on and on photos without its landmarks, a file or folder
    /// for each kind of these; and the photos that could not be read.
    fn calibrate(
        &self,
        py: Python<'_>,
        data: PathBuf,
        distractors: Vec<PathBuf>,
    ) -> PyResult<(Self, Vec<String>)> {
        py.detach(|| {
            let data = ImageFolder::open(&data, &ValidSplit::default()).map_err(model_error)?;
            let kinds: Vec<Vec<PathBuf>> =
                distractors.iter().map(|kind| PhotoListing::of([kind]).photos).collect();
            if let Some(empty) = kinds.iter().position(Vec::is_empty) {
                let folder = path_text(&distractors[empty]);
                return Err(PhotoError::new_err(format!("{folder}: there are no photos in it")));
            }
            let mut model = self.model.clone();
            let outcome = calibrate(&mut model, &data, &kinds, || ()).map_err(model_error)?;
            let bad = outcome.bad_photos.iter().map(|error| told(error)).collect();
            Ok((Self { model }, bad))
        })
    }

    /// The model with one more class, from photos that show it.
    fn learn(&self, py: Python<'_>, name: &str, sources: Vec<Source>) -> PyResult<Self> {
        let sources = photos(sources)?;
        py.detach(|| {
            let mut embeddings = Vec::new();
            for learned in self.model.map_photos(sources, |model, photo| model.embeddings_to_learn(photo)) {
                embeddings.extend(learned.map_err(|error| photo_error(&error))?);
            }
            let mut model = self.model.clone();
            model.learn_embeddings(name, &embeddings).map_err(model_error)?;
            Ok(Self { model })
        })
    }

    /// All figures of a test on the test photos of a data set, as JSON; and the photos that could not be read.
    fn test(&self, py: Python<'_>, data: PathBuf) -> PyResult<(String, Vec<String>)> {
        py.detach(|| {
            let examples =
                ImageFolder::open_test(&data, &self.model.classes()).map_err(model_error)?.examples;
            let mut bad = Vec::new();
            let test =
                ModelTest::run(&self.model, examples, |error| bad.extend(error.map(|error| told(error))));
            let test = test.ok_or_else(|| {
                PhotoError::new_err(format!("{}: not one photo could be read", path_text(&data)))
            })?;
            let figures = serde_json::to_string(&test.evaluation).map_err(model_error)?;
            Ok((figures, bad))
        })
    }
}

/// The row of a photo that cannot be read. A disk or network that fails is none of the photo's faults.
fn unlabelled(error: cairn_model::PhotoError) -> PyResult<Labelled> {
    if error.is_passing() {
        return Err(PyOSError::new_err(told(&error)));
    }
    let path = format!("{}: ", path_text(error.path()));
    let message = told(&error);
    Ok(Labelled::Unread(message.strip_prefix(&path).map_or_else(|| message.clone(), str::to_owned)))
}

/// What spoke for a landmark in a photo.
struct Explanation {
    photo: Photo,
    landmark: String,
    explained: Explained,
}

impl Model {
    /// A photo, and what spoke for a class in it; without a class, for the likeliest.
    fn explained(&self, photo: PhotoSource, class: Option<&str>) -> PyResult<Explanation> {
        let photo = self.model.load_photo(photo).map_err(|error| photo_error(&error))?;
        let class = match class {
            Some(name) => Some(self.model.class_named(name).map_err(model_error)?),
            None => self.model.output_of(&photo).likeliest(),
        };
        let class = class.ok_or_else(|| PhotoError::new_err("the model says nothing of this photo"))?;
        if class.index() >= self.model.info().classes.len() {
            return Err(PyValueError::new_err(
                "a class that was learned from a few photos cannot be explained",
            ));
        }
        let explainer = Explainer::new(&self.model, None, CamMethod::GradCam).map_err(model_error)?;
        let explained = explainer.explain_views(&photo, &[class]).map_err(model_error)?;
        let classes = self.model.classes();
        let landmark = classes.get(class).map(|class| self.model.landmark_name(class).to_owned());
        Ok(Explanation { photo, landmark: landmark.unwrap_or_default(), explained })
    }

    fn rows<'py>(
        &self,
        py: Python<'py>,
        photos: Vec<PhotoSource>,
        raise_errors: bool,
        of: impl Fn(&ModelOutput) -> Vec<f32> + Send + Sync + 'static,
    ) -> PyResult<Rows<'py>> {
        let rows = photos.len();
        let (values, bad) = py.detach(|| {
            let mut found: Vec<Option<Vec<f32>>> = Vec::with_capacity(rows);
            let mut bad = Vec::new();
            for outcome in self.model.map_photos(photos, move |model, photo| of(&model.output_of(&photo))) {
                match outcome {
                    Ok(row) => found.push(Some(row)),
                    Err(error) if raise_errors => return Err(photo_error(&error)),
                    Err(error) => {
                        bad.push((found.len(), told(&error)));
                        found.push(None);
                    }
                }
            }
            let columns = found.iter().flatten().next().map_or(0, Vec::len);
            let values: Vec<f32> =
                found.into_iter().flat_map(|row| row.unwrap_or_else(|| vec![f32::NAN; columns])).collect();
            Ok((values, bad))
        })?;
        Ok((array(py, &values), rows, bad))
    }
}

/// Numbers as Python's bytes, which NumPy takes as they are.
fn array<'py>(py: Python<'py>, values: &[f32]) -> Bound<'py, PyByteArray> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    PyByteArray::new(py, &bytes)
}
