//! What can go wrong with a cache.

use crate::path_text::path_text;
use std::path::PathBuf;

use thiserror::Error;

/// Why a cache cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A cache on disk needs a folder.
    #[error("a photo cache on disk needs a folder; name one, or keep the photos in memory")]
    NoFolder,
    /// The file or its folder cannot be made or read.
    #[error(
        "{}: the photo cache cannot be opened; choose another folder, or keep the photos in memory",
        path_text(path)
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}
