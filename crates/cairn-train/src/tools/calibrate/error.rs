//! Why a model cannot be calibrated.

use cairn_dataset::path_text;
use std::path::PathBuf;

/// Why a model could not be calibrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrateError {
    /// The photos are of other classes than the model's.
    #[error(
        "{}: its classes differ from the model's; calibrate on the data set that the model was trained on",
        path_text(root)
    )]
    Classes {
        /// The data set.
        root: PathBuf,
    },
    /// Not one photo of a part could be read.
    #[error("{}: not one {part} photo could be read", path_text(root))]
    NoPhotos {
        /// The data set.
        root: PathBuf,
        /// Which part.
        part: &'static str,
    },
    /// There are photos without a landmark, but not one could be read.
    #[error("no photo without a landmark could be read (of {photos})")]
    NoNonLandmarks {
        /// How many there are.
        photos: usize,
    },
    /// Too few of them for a sure threshold.
    #[error(
        "{photos} photos without a landmark are too few for a sure threshold: give at least {fewest}, better sixty of each \
         kind"
    )]
    FewNonLandmarks {
        /// How many could be read.
        photos: usize,
        /// How many it takes.
        fewest: usize,
    },
    /// The model has no threshold to put a sure one beside.
    #[error("this model has no threshold: also give the data set that it was trained on (--data DIR)")]
    NoThreshold,
    /// All validation photos are of one class.
    #[error("{}: all validation photos show one landmark; calibration needs at least two", path_text(root))]
    OneClass {
        /// The data set.
        root: PathBuf,
    },
}
