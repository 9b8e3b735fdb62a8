//! Data sets that are listed in a file: from the rows of the list to parts, classes and photos.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::scan::{ClassScan, DatasetScan, Part, PartScan, PhotoFile, slashed};

/// One photo of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The photo, from the folder that its paths start at.
    pub(crate) path: PathBuf,
    /// The name of its class, as a folder of photos would be called.
    pub(crate) label: String,
    pub(crate) part: Part,
}

/// Arranges listed photos as if they lay in folders `train`, `valid` and `test` of `root`.
///
/// Photos that are not there are kept, so that reading them reports them by name; `ignored` goes with the training part.
pub(crate) fn scan_of(root: &Path, rows: Vec<Row>, ignored: Vec<PathBuf>) -> DatasetScan {
    let mut parts: BTreeMap<Part, BTreeMap<String, Vec<PhotoFile>>> = BTreeMap::new();
    for Row { path, label, part } in rows {
        let path = root.join(path);
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        let photo = PhotoFile { relative_path: slashed(&path, root), path, bytes };
        parts.entry(part).or_default().entry(label).or_default().push(photo);
    }
    let mut part = |part: Part, ignored: Vec<PathBuf>| {
        let classes = parts.remove(&part)?.into_iter().map(|(name, mut photos)| {
            photos.sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
            ClassScan { name, photos }
        });
        Some(PartScan { folder: root.to_path_buf(), classes: classes.collect(), ignored })
    };
    let none = || PartScan { folder: root.to_path_buf(), classes: Vec::new(), ignored: Vec::new() };
    DatasetScan {
        train: part(Part::Train, ignored).unwrap_or_else(none),
        valid: part(Part::Valid, Vec::new()),
        test: part(Part::Test, Vec::new()),
    }
}
