//! A photo that could not be used, so that a run goes on without it and says so.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cairn_photo::{PhotoError, panic_message};
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::{PhotoPlace, path_text};

/// Why one photo was left out. Serialised as its path and its [whole message](BadPhoto::message).
#[derive(Debug, Error)]
pub enum BadPhoto {
    /// The photo cannot be read.
    #[error(transparent)]
    Unreadable(#[from] PhotoError),
    /// Our own code, or that of a decoder, broke on it.
    #[error(
        "{}: internal error while reading ({message}): please report it as a bug, with the photo",
        path_text(path)
    )]
    Panicked {
        /// The photo.
        path: PathBuf,
        /// What the panic said.
        message: String,
    },
}

impl BadPhoto {
    /// Where the photo is.
    pub fn path(&self) -> &Path {
        match self {
            BadPhoto::Unreadable(error) => error.path(),
            BadPhoto::Panicked { path, .. } => path,
        }
    }

    /// The error with all its causes, in one line.
    pub fn message(&self) -> String {
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.fold(self.to_string(), |message, cause| format!("{message}: {cause}"))
    }

    /// Runs `work` on the photo at `place`; a panic in it becomes an error that names the photo.
    pub(crate) fn guard<T>(
        place: &PhotoPlace,
        work: impl FnOnce() -> Result<T, PhotoError>,
    ) -> Result<T, BadPhoto> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(outcome) => outcome.map_err(BadPhoto::Unreadable),
            Err(panic) => {
                let message = panic_message(panic.as_ref()).unwrap_or("a panic without words").to_owned();
                Err(BadPhoto::Panicked { path: place.path(), message })
            }
        }
    }
}

impl Serialize for BadPhoto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(serialize_with = "path_text::one")]
            path: &'a Path,
            error: String,
        }
        Row { path: self.path(), error: self.message() }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_the_photo() {
        let count = 3;
        let bad = BadPhoto::guard::<()>(&Path::new("a/b.jpg").into(), || panic!("row {count} is missing"))
            .unwrap_err();
        assert_eq!(bad.path(), Path::new("a/b.jpg"));
        assert!(bad.message().starts_with("a/b.jpg: "), "{bad}");
        assert!(bad.message().contains("row 3 is missing"), "{bad}");
    }

    #[test]
    fn the_message_tells_the_cause_too() {
        let source = std::io::Error::other("the disk is on fire");
        let bad = BadPhoto::from(PhotoError::Io { path: "c.jpg".into(), source });
        assert!(bad.message().contains("c.jpg") && bad.message().contains("the disk is on fire"), "{bad}");
    }
}
