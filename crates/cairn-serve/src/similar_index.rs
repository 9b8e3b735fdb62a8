//! The photos that `/v1/similar` ranks.

use std::path::{Path, PathBuf};

use cairn_dataset::{PhotoListing, path_text};
use cairn_model::rows::ModelIdentity;
use cairn_model::{Gallery, GalleryError, GalleryIndex, IndexFileError, Model, NeighbourSearch};

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
    /// The file is none of embeddings of this model.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    /// What stands where the index of the embeddings is kept.
    #[error(transparent)]
    Kept(#[from] IndexFileError),
    /// Nothing to compare with.
    #[error("{}: no photo in it that can be read (--index)", path_text(path))]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

/// The photos in a folder, as `model` sees them; or the rows of a file that `/v1/embed` answered as
/// `application/x-ndjson`. Photos that cannot be read are left out. Of very many rows an index is made, which is kept beside
/// the file as `FILE.index`.
pub(crate) fn open(path: &Path, model: &Model, identity: &ModelIdentity) -> Result<Gallery, IndexError> {
    let read = |source| IndexError::Read { path: path.to_owned(), source };
    let is_folder = std::fs::metadata(path).map_err(read)?.is_dir();
    let mut gallery = if is_folder {
        of_folder(path, model)
    } else {
        Gallery::read_rows(path, model.network().feature_count(), identity)?
    };
    if gallery.is_empty() {
        return Err(IndexError::Empty { path: path.to_owned() });
    }
    match model.options().neighbours {
        NeighbourSearch::Exact => {}
        NeighbourSearch::Indexed if is_folder => gallery.index(),
        NeighbourSearch::Indexed => {
            // A folder that cannot be written costs time at the next start, no more.
            let _: GalleryIndex = gallery.index_at(&kept_beside(path))?;
        }
    }
    Ok(gallery)
}

/// Where the index of a file's embeddings is kept.
fn kept_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".index");
    name.into()
}

fn of_folder(folder: &Path, model: &Model) -> Gallery {
    let photos = PhotoListing::of([folder]).photos;
    let mut gallery = Gallery::new(model.network().feature_count());
    for (photo, output) in photos.iter().zip(model.outputs(&photos)) {
        if let Ok(output) = output {
            gallery.push(path_text(photo.strip_prefix(folder).unwrap_or(photo)), &output.embedding);
        }
    }
    gallery
}
