//! From a path, bytes or pixels to the views that a model looks at.

use std::path::{Path, PathBuf};

use cairn_dataset::{Example, PhotoPlace};
use cairn_photo::{Limits, Photo, PhotoError, Preprocess, SizedPhoto};

/// A photo to be named: its file, its file's bytes, or its pixels.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PhotoSource {
    /// A file.
    Path(PathBuf),
    /// The bytes of a file in any format that [`Photo::open`] reads.
    Bytes {
        /// The file's content.
        bytes: Vec<u8>,
        /// What errors call the photo.
        name: PathBuf,
    },
    /// A photo of a data set that is in a tar file.
    Member(PhotoPlace),
    /// An upright photo of any size.
    Pixels(Photo),
}

impl PhotoSource {
    /// The photo in the bytes of a file; `name` is what errors call it.
    pub fn bytes(bytes: impl Into<Vec<u8>>, name: impl Into<PathBuf>) -> Self {
        Self::Bytes { bytes: bytes.into(), name: name.into() }
    }

    /// The photo, read no larger than the framing of `preprocess` needs it: its views are the same as of the whole photo. A
    /// file's photo that is too thin for any network is refused.
    pub(super) fn load(self, preprocess: &Preprocess) -> Result<SizedPhoto, PhotoError> {
        let (size, limits) = (preprocess.framing.read_size(), Limits::default());
        let (sized, name) = match self {
            Self::Path(path) => (SizedPhoto::open(&path, size, &limits)?, path),
            Self::Bytes { bytes, name } => (SizedPhoto::decode(&bytes, &name, size, &limits)?, name),
            Self::Member(place) => {
                let name = place.path();
                let content = place
                    .content(limits.max_bytes)
                    .map_err(|source| PhotoError::Io { path: name.clone(), source })?;
                (SizedPhoto::decode(&content, &name, size, &limits)?, name)
            }
            Self::Pixels(photo) => {
                let (width, height) = (photo.width(), photo.height());
                return Ok(SizedPhoto { photo, width, height });
            }
        };
        let SizedPhoto { photo, width, height } = sized;
        Ok(SizedPhoto { photo: photo.unless_too_thin(&name)?, width, height })
    }
}

impl From<&Example> for PhotoSource {
    fn from(example: &Example) -> Self {
        match example.place.is_member() {
            true => Self::Member(example.place.clone()),
            false => Self::Path(example.path()),
        }
    }
}

impl From<PathBuf> for PhotoSource {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for PhotoSource {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<&Path> for PhotoSource {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<&str> for PhotoSource {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

impl From<Photo> for PhotoSource {
    fn from(photo: Photo) -> Self {
        Self::Pixels(photo)
    }
}

impl From<&Photo> for PhotoSource {
    fn from(photo: &Photo) -> Self {
        Self::Pixels(photo.clone())
    }
}
