//! What can go wrong while a photo is decoded.

use std::path::Path;
use std::time::Duration;

use image::ImageError;

use super::Limits;
use crate::PhotoError;

/// A [`PhotoError`] that does not know yet of what file it speaks.
#[derive(Debug)]
pub(super) enum DecodeError {
    Truncated,
    Corrupt(String),
    TooLarge {
        width: u32,
        height: u32,
    },
    TooMuchMemory,
    /// More memory than all photos together may take.
    MoreThanBudget {
        needed: u64,
        budget: u64,
    },
    TooManyScans {
        scans: u32,
        limit: u32,
    },
    TimedOut {
        allowed: Duration,
    },
    Unsupported(String),
}

impl DecodeError {
    /// The error of the file at `path`, which is in `format`.
    pub(super) fn at(self, path: &Path, format: &'static str, limits: &Limits) -> PhotoError {
        let path = path.to_owned();
        let &Limits { max_pixels, max_bytes, .. } = limits;
        match self {
            DecodeError::Truncated => PhotoError::Truncated { path, format },
            DecodeError::Corrupt(reason) => PhotoError::Corrupt { path, format, reason },
            DecodeError::TooLarge { width, height } => {
                PhotoError::TooLarge { path, width, height, max_pixels }
            }
            DecodeError::TooMuchMemory => PhotoError::TooMuchMemory { path, max_bytes },
            DecodeError::MoreThanBudget { needed, budget } => {
                PhotoError::MoreThanBudget { path, needed, budget }
            }
            DecodeError::TooManyScans { scans, limit } => PhotoError::TooManyScans { path, scans, limit },
            DecodeError::TimedOut { allowed } => PhotoError::TimedOut { path, format, allowed },
            DecodeError::Unsupported(advice) => PhotoError::Unsupported { path, format, advice },
        }
    }
}

impl From<ImageError> for DecodeError {
    fn from(error: ImageError) -> DecodeError {
        match error {
            ImageError::Limits(_) => DecodeError::TooMuchMemory,
            ImageError::Unsupported(_) => {
                DecodeError::Unsupported(format!("convert it to JPEG or PNG ({error})"))
            }
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

/// The error of a file that breaks the rules of its format.
pub(super) fn corrupt(what: &str) -> DecodeError {
    DecodeError::Corrupt(what.to_owned())
}

/// The error of a file that has something that is not read here.
pub(super) fn unsupported(what: &str) -> DecodeError {
    DecodeError::Unsupported(format!("convert it to JPEG or PNG (it has {what})"))
}
