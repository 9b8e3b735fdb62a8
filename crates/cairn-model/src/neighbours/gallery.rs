//! A gallery: photos by name with their embeddings, among which others are looked for.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use cairn_dataset::path_text;
use serde::{Deserialize, Serialize};

use super::{EmbeddingTable, INDEX_FROM, IndexFileError, InvertedFile};
use crate::Embedding;
use crate::rows::ModelIdentity;

/// Photos and their embeddings, and the index of these if there is one.
#[derive(Debug, Clone)]
pub struct Gallery {
    photos: Vec<String>,
    embeddings: EmbeddingTable,
    index: Option<InvertedFile>,
}

/// A photo and how like it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Likeness<'a> {
    /// Its name.
    pub photo: &'a str,
    /// Cosine of the angle between the embeddings, in `[-1, 1]`.
    pub likeness: f64,
}

/// What came of [`Gallery::index_at`].
#[derive(Debug)]
pub enum GalleryIndex {
    /// There are too few photos to need one.
    None,
    /// It was there.
    Opened,
    /// It was made.
    Made {
        /// Why one that was there is of no use.
        before: Option<IndexFileError>,
        /// Why it could not be kept.
        unsaved: Option<IndexFileError>,
    },
}

/// Why a file of rows is no gallery.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GalleryError {
    /// The file cannot be read.
    #[error("{}: the embeddings cannot be read", path_text(path))]
    Read {
        /// The file.
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
}

/// A line of a file.
#[derive(Deserialize)]
struct StoredRow {
    photo: String,
    /// Missing in the row of a photo that could not be read.
    embedding: Option<Vec<f32>>,
    model: StoredModel,
}

#[derive(Deserialize)]
struct StoredModel {
    digest: String,
}

impl Gallery {
    /// No photos yet, of embeddings of so many features.
    pub fn new(features: usize) -> Self {
        Self { photos: Vec::new(), embeddings: EmbeddingTable::new(features), index: None }
    }

    /// Adds a photo. An index that there was is of other photos, and goes.
    ///
    /// # Panics
    /// If the embedding is not of the gallery's features.
    pub fn push(&mut self, photo: String, embedding: &Embedding) {
        self.embeddings.push(embedding);
        self.photos.push(photo);
        self.index = None;
    }

    /// The photos of the rows in a file, as `/v1/embed` answers them as `application/x-ndjson`, of the model that `identity`
    /// names. Rows of photos that could not be read are left out.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is no such row, or of another model.
    pub fn read_rows(path: &Path, features: usize, identity: &ModelIdentity) -> Result<Self, GalleryError> {
        let failed = |source| GalleryError::Read { path: path.to_owned(), source };
        let mut gallery = Self::new(features);
        let lines = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?).lines();
        for (line, text) in (1..).zip(lines) {
            let text = text.map_err(failed)?;
            if text.trim().is_empty() {
                continue;
            }
            let wrong = |reason: String| GalleryError::Row { path: path.to_owned(), line, reason };
            let row: StoredRow = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            if row.model.digest != identity.digest {
                return Err(GalleryError::OtherModel {
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
            gallery.push(row.photo, &Embedding::of(&values));
        }
        Ok(gallery)
    }

    /// How many photos there are.
    pub fn len(&self) -> usize {
        self.photos.len()
    }

    /// Whether there is no photo.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// Makes an index where there are [`INDEX_FROM`] photos or more. It lasts until a photo is added.
    pub fn index(&mut self) {
        self.index = (self.len() >= INDEX_FROM).then(|| InvertedFile::of(&self.embeddings));
    }

    /// [`Gallery::index`] by the index that is kept at `path`, where it is one of these embeddings; else it is made and kept
    /// there.
    ///
    /// # Errors
    /// When there is something at `path` that is no index: it is left as it is.
    pub fn index_at(&mut self, path: &Path) -> Result<GalleryIndex, IndexFileError> {
        if self.len() < INDEX_FROM {
            return Ok(GalleryIndex::None);
        }
        let before = match InvertedFile::open(path, &self.embeddings) {
            Ok(Some(index)) => {
                self.index = Some(index);
                return Ok(GalleryIndex::Opened);
            }
            Ok(None) => None,
            Err(error @ (IndexFileError::OtherEmbeddings { .. } | IndexFileError::Damaged { .. })) => {
                Some(error)
            }
            Err(error) => return Err(error),
        };
        let index = InvertedFile::of(&self.embeddings);
        let unsaved = index.save(path, &self.embeddings).err();
        self.index = Some(index);
        Ok(GalleryIndex::Made { before, unsaved })
    }

    /// The `k` photos that are most like this one, the most similar first; equals in their order. With an index, a few of them
    /// may be others.
    ///
    /// # Panics
    /// If the embedding is not of the gallery's features.
    pub fn nearest(&self, sought: &Embedding, k: usize) -> Vec<Likeness<'_>> {
        let nearest = match &self.index {
            Some(index) => index.nearest(&self.embeddings, sought, k),
            None => self.embeddings.nearest(sought, k),
        };
        let named = nearest.into_iter();
        named.map(|found| Likeness { photo: &self.photos[found.row], likeness: found.likeness }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::made_up::clustered;

    fn gallery(photos: usize, seed: u64) -> Gallery {
        let table = clustered(photos, 500, 16, seed);
        let mut gallery = Gallery::new(16);
        for row in 0..photos {
            gallery.push(format!("{row}.jpg"), &Embedding::stored(table.row(row)));
        }
        gallery
    }

    #[test]
    fn a_large_gallerys_index_is_made_once_and_made_again_for_other_photos() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.index");
        let mut large = gallery(INDEX_FROM, 1);
        assert!(matches!(large.index_at(&path).unwrap(), GalleryIndex::Made { before: None, unsaved: None }));
        let written = std::fs::read(&path).unwrap();
        assert!(matches!(large.index_at(&path).unwrap(), GalleryIndex::Opened));
        assert_eq!(std::fs::read(&path).unwrap(), written);
        let sought = Embedding::stored(clustered(1, 500, 16, 9).row(0));
        assert_eq!(large.nearest(&sought, 1).len(), 1);

        let mut other = gallery(INDEX_FROM, 2);
        let made = other.index_at(&path).unwrap();
        let GalleryIndex::Made { before: Some(before), unsaved: None } = made else { panic!("{made:?}") };
        assert!(before.to_string().contains("other embeddings"), "{before}");
        assert!(matches!(other.index_at(&path).unwrap(), GalleryIndex::Opened));
    }

    #[test]
    fn a_small_gallery_has_no_index_and_a_file_that_is_none_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(gallery(INDEX_FROM - 1, 1).index_at(&path).unwrap(), GalleryIndex::None));
        let refused = gallery(INDEX_FROM, 1).index_at(&path);
        assert!(matches!(refused, Err(IndexFileError::Foreign { .. })), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let nowhere = folder.path().join("nowhere/photos.index");
        let made = gallery(INDEX_FROM, 1).index_at(&nowhere).unwrap();
        assert!(matches!(made, GalleryIndex::Made { unsaved: Some(_), .. }), "{made:?}");
    }

    #[test]
    fn equals_are_ranked_in_their_order() {
        let mut gallery = Gallery::new(2);
        for (photo, values) in [("b", [1.0, 0.0]), ("a", [1.0, 0.0]), ("c", [1.0, 1.0]), ("d", [0.0, 1.0])] {
            gallery.push(photo.to_owned(), &Embedding::of(&values));
        }
        let ranked = gallery.nearest(&Embedding::of(&[2.0, 0.0]), 3);
        assert_eq!(ranked.iter().map(|likeness| likeness.photo).collect::<Vec<_>>(), ["b", "a", "c"]);
    }
}
