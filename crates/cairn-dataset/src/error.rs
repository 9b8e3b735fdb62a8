//! What can be wrong with a data set as a whole. A single bad photo is a [`BadPhoto`](crate::BadPhoto) instead.

use crate::path_text::path_text;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a data set could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The data set has no `train` folder.
    #[error(
        "{}: no folder `train` in it; a data set is a folder with train/CLASS/PHOTO and test/CLASS/PHOTO",
        path_text(root)
    )]
    NoTrain {
        /// The data set's folder.
        root: PathBuf,
    },
    /// The folder has no `train`, but folders of photos.
    #[error(
        "{0}: no folder `train` in it, but {classes} folders of photos; `cairn data split {0} -o {1}` makes the parts train, \
         valid and test of them",
        path_text(root),
        path_text(root.join("parts.csv"))
    )]
    NoParts {
        /// The folder of class folders.
        root: PathBuf,
        /// How many of its folders hold photos.
        classes: usize,
    },
    /// Classes without training photos, which no network can learn to name.
    #[error(
        "{}: classes without training photos: {}; add photos, or remove their folders in every part",
        path_text(root),
        classes.join(", ")
    )]
    Untrainable {
        /// The data set.
        root: PathBuf,
        /// Their folders, in order.
        classes: Vec<String>,
    },
    /// The folder to test on has a `train` part but no `test` part.
    #[error(
        "{0}: a folder `train` but no `test` in it; name the folder to test on, such as {1}",
        path_text(root),
        path_text(root.join("valid"))
    )]
    NoTest {
        /// The data set's folder.
        root: PathBuf,
    },
    /// One part of the data set is another, or holds it, by way of a link.
    #[error(
        "{} and {}: one is, or holds, the other by a link, so their photos are the same; give each part photos of its own",
        path_text(part),
        path_text(other)
    )]
    PartInPart {
        /// One part's folder.
        part: PathBuf,
        /// The other part's folder.
        other: PathBuf,
    },
    /// Two classes of one part have the same name but for the Unicode normal form.
    #[error(
        "{}: the classes {} and {} have the same name, in two Unicode normal forms; merge or rename them",
        path_text(folder),
        code_points(&names[0]),
        code_points(&names[1])
    )]
    AlikeClasses {
        /// The part's folder, or the folder of the table that lists the photos.
        folder: PathBuf,
        /// The names as they are.
        names: [String; 2],
    },
    /// There are two validation folders, and it is not for us to choose.
    #[error("{}: both `valid` and `val` are in it; keep one as the validation photos", path_text(root))]
    TwoValidationFolders {
        /// The data set's folder.
        root: PathBuf,
    },
    /// A folder that must hold class folders holds none.
    #[error(
        "{}: no class folders in it; put the photos of each landmark in a folder of its own",
        path_text(folder)
    )]
    NoClasses {
        /// The folder without class folders.
        folder: PathBuf,
    },
    /// A folder has class folders, but not one photo in them.
    #[error("{}: no photos in its class folders", path_text(folder))]
    NoPhotos {
        /// The folder without photos.
        folder: PathBuf,
    },
    /// Class folders that the training photos, or the model, do not have.
    #[error(
        "{}: class folders that {known_from} does not have: {}; rename them to the folder names used there, \
         or take them out",
        path_text(folder),
        few(unknown)
    )]
    UnknownClasses {
        /// The folder that holds them.
        folder: PathBuf,
        /// Where the known classes come from: the `train` folder, or the model.
        known_from: &'static str,
        /// Their names, in order.
        unknown: Vec<String>,
    },
    /// The parts that were asked for are no shares of the whole.
    #[error("validation {valid} and test {test}: each must be at least 0, and together less than 1")]
    Shares {
        /// The validation part's share.
        valid: f64,
        /// The test part's share.
        test: f64,
    },
    /// The folder to split is split already.
    #[error(
        "{}: it has a folder `{part}`, so it has parts already; `cairn train` takes it as it is",
        path_text(root)
    )]
    HasParts {
        /// The folder.
        root: PathBuf,
        /// The part that is there.
        part: &'static str,
    },
    /// A table that lists photos cannot be used.
    #[error("{}: not a list of photos: {reason}", path_text(path))]
    Manifest {
        /// The table.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// The validation part is not a share of the whole.
    #[error("validation fraction {fraction}: it must be at least 0 and less than 1")]
    Fraction {
        /// What was asked for.
        fraction: f64,
    },
    /// A folder could not be read.
    #[error("{}: cannot be read; check that it exists and that you may open it", path_text(path))]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not one of the photos could be read, so there is nothing to compute from.
    #[error("{}: {first}", if *photos == 1 { "the only photo could not be read".to_owned() } else { format!("none of the {photos} photos could be read; the first") })]
    AllUnreadable {
        /// How many were tried.
        photos: usize,
        /// What was wrong with the first.
        first: String,
    },
}

/// A name with each character beyond ASCII as its code point, so that names that look alike are told apart.
fn code_points(name: &str) -> String {
    let escaped =
        name.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() });
    format!("\"{}\"", escaped.collect::<String>())
}

/// The first few names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
