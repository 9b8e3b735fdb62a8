//! What can go wrong here: drawing and writing, never computing.

use cairn_dataset::path_text;
use std::path::PathBuf;
use thiserror::Error;

/// Why a picture or a report did not come about.
#[derive(Debug, Error)]
pub enum EvalError {
    /// The file could not be written.
    #[error(
        "cannot write {}; check that its folder exists and is writable and that the disk has space",
        path_text(path)
    )]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file name that names no kind of picture.
    #[error("{}: the name of a picture must end in .png or .svg", path_text(path))]
    PictureKind {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// The picture could not be drawn.
    #[error("cannot draw the picture \"{title}\": {reason}")]
    Draw {
        /// The picture's title.
        title: String,
        /// What the drawing library said.
        reason: String,
    },
}
