//! The photos that `/v1/similar` ranks.

use std::path::{Path, PathBuf};

use cairn_dataset::{PhotoListing, path_text};
use cairn_model::rows::ModelIdentity;
use cairn_model::{Embedding, Model};
use serde::{Deserialize, Serialize};

/// Photos and their embeddings.
#[derive(Debug)]
pub(crate) struct SimilarIndex {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    photo: String,
    embedding: Embedding,
}

/// A photo and how like it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Likeness<'a> {
    /// Its name.
    pub(crate) photo: &'a str,
    /// Cosine of the angle between the embeddings, in `[-1, 1]`.
    pub(crate) likeness: f64,
}

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The file or folder cannot be read.
    #[error("{}: the photos to compare with (--index) cannot be read", path_text(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A line of the file is none of `/v1/embed`.
    #[error("{}, line {line}: not a row of /v1/embed: {reason}", path_text(path))]
    Row {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds what another model made of photos.
    #[error(
        "{}, line {line}: made by the model {other}, and {own} answers here; make the file again by /v1/embed",
        path_text(path)
    )]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The digest of the model that made it.
        other: String,
        /// The digest of the model that answers.
        own: String,
    },
    /// Nothing to compare with.
    #[error("{}: no photo in it that can be read (--index)", path_text(path))]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

/// A line of a file.
#[derive(Debug, Deserialize)]
struct StoredRow {
    photo: String,
    /// Missing in the row of a photo that could not be read.
    embedding: Option<Vec<f32>>,
    model: StoredModel,
}

#[derive(Debug, Deserialize)]
struct StoredModel {
    digest: String,
}

impl SimilarIndex {
    /// The photos in a folder, as `model` sees them; or the rows of a file that `/v1/embed` answered as
    /// `application/x-ndjson`. Photos that cannot be read are left out.
    pub(crate) fn open(path: &Path, model: &Model, identity: &ModelIdentity) -> Result<Self, IndexError> {
        let metadata = std::fs::metadata(path);
        let is_folder =
            metadata.map_err(|source| IndexError::Read { path: path.to_owned(), source })?.is_dir();
        let index =
            if is_folder { Self::of_folder(path, model) } else { Self::of_file(path, model, identity)? };
        if index.entries.is_empty() {
            return Err(IndexError::Empty { path: path.to_owned() });
        }
        Ok(index)
    }

    fn of_folder(folder: &Path, model: &Model) -> Self {
        let photos = PhotoListing::of([folder]).photos;
        let named = |photo: &PathBuf| path_text(photo.strip_prefix(folder).unwrap_or(photo));
        let outputs = model.outputs(&photos);
        let entries = photos.iter().zip(outputs).filter_map(|(photo, output)| {
            Some(Entry { photo: named(photo), embedding: output.ok()?.embedding })
        });
        Self { entries: entries.collect() }
    }

    fn of_file(path: &Path, model: &Model, identity: &ModelIdentity) -> Result<Self, IndexError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| IndexError::Read { path: path.to_owned(), source })?;
        let features = model.network().feature_count();
        let mut entries = Vec::new();
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let wrong = |reason: String| IndexError::Row { path: path.to_owned(), line, reason };
            let row: StoredRow = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
            if row.model.digest != identity.digest {
                return Err(IndexError::OtherModel {
                    path: path.to_owned(),
                    line,
                    other: row.model.digest,
                    own: identity.digest.clone(),
                });
            }
            let Some(values) = row.embedding else { continue };
            if values.len() != features {
                return Err(wrong(format!("{} numbers, and the model has {features}", values.len())));
            }
            entries.push(Entry { photo: row.photo, embedding: Embedding::of(&values) });
        }
        Ok(Self { entries })
    }

    /// How many photos there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The `k` photos that are most like this one, the most similar first; equals in their order.
    pub(crate) fn nearest(&self, sought: &Embedding, k: usize) -> Vec<Likeness<'_>> {
        let mut ranked: Vec<Likeness<'_>> = self
            .entries
            .iter()
            .map(|entry| Likeness { photo: &entry.photo, likeness: sought.cosine(&entry.embedding) })
            .collect();
        ranked.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
        ranked.truncate(k);
        ranked
    }
}
