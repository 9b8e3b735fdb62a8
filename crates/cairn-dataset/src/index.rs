//! What a data set holds, of whichever form it is: its parts, their classes, and the photos in them.

use std::path::{Path, PathBuf};

use crate::DatasetError;
use crate::path_text::{nfc, path_text};
use crate::photo_place::PhotoPlace;
use crate::skipped::Skipped;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
}

impl Part {
    /// What tables and folders call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
}

/// All parts of a data set as they stand on disk.
#[derive(Debug)]
pub(crate) struct DatasetIndex {
    pub(crate) train: PartIndex,
    pub(crate) valid: Option<PartIndex>,
    pub(crate) test: Option<PartIndex>,
}

impl DatasetIndex {
    /// The parts that there are, each with its name.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Part, &PartIndex)> {
        [
            (Part::Train, Some(&self.train)),
            (Part::Valid, self.valid.as_ref()),
            (Part::Test, self.test.as_ref()),
        ]
        .into_iter()
        .filter_map(|(part, scan)| Some((part, scan?)))
    }
}

/// What one part of a data set holds.
#[derive(Debug)]
pub(crate) struct PartIndex {
    /// The part's folder.
    pub(crate) folder: PathBuf,
    /// Its class folders, in order of their names.
    pub(crate) classes: Vec<ClassIndex>,
    /// What was left out, in order.
    pub(crate) skipped: Vec<Skipped>,
    /// Whether any photo or class folder was reached by a link.
    pub(crate) has_links: bool,
}

/// What one class folder holds.
#[derive(Debug)]
pub(crate) struct ClassIndex {
    /// The class folder.
    pub(crate) folder: PathBuf,
    /// Its name as text, see [`path_text`].
    pub(crate) name: String,
    /// Its photos, those in folders within it too, in order of their paths.
    pub(crate) photos: Vec<PhotoPlace>,
}

impl PartIndex {
    /// A part with these classes, which a table lists.
    pub(crate) fn listed(folder: &Path, classes: Vec<ClassIndex>, skipped: Vec<Skipped>) -> PartIndex {
        PartIndex { folder: folder.to_path_buf(), classes, skipped, has_links: false }
    }

    /// Refuses a part in which two class folders are one class by name: which photos are meant is not for us to say.
    ///
    /// # Errors
    /// [`DatasetError::AlikeClasses`].
    pub(crate) fn refuse_alike_classes(&self) -> Result<(), DatasetError> {
        match self.alike_classes().next() {
            None => Ok(()),
            Some((a, b)) => Err(DatasetError::AlikeClasses {
                folder: self.folder.clone(),
                names: [a.name.clone(), b.name.clone()],
            }),
        }
    }

    /// Class folders whose names differ in their Unicode normal form only, in pairs.
    pub(crate) fn alike_classes(&self) -> impl Iterator<Item = (&ClassIndex, &ClassIndex)> {
        let pairs = self.classes.iter().zip(self.classes.iter().skip(1));
        pairs.filter(|(a, b)| nfc(&a.name) == nfc(&b.name))
    }
}

/// `path` as seen from `base` as text, with `/` between folders, so that it is the same text on every system.
pub(crate) fn slashed(path: &Path, base: &Path) -> String {
    let inner = path.strip_prefix(base).unwrap_or(path);
    let names: Vec<_> = inner.iter().map(path_text).collect();
    names.join("/")
}
