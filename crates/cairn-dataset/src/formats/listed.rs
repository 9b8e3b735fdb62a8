//! Data sets that are listed in a file: from the rows of the list to parts, classes and photos.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::index::{ClassIndex, DatasetIndex, Part, PartIndex};
use crate::photo_place::{PhotoBase, PhotoPlace};
use crate::skipped::Skipped;

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
/// Photos that are not there are kept, so that reading them reports them by name; `skipped` goes with the training part.
pub(crate) fn scan_of(root: &Path, rows: Vec<Row>, skipped: Vec<Skipped>) -> DatasetIndex {
    let mut parts: BTreeMap<Part, BTreeMap<String, Vec<PhotoPlace>>> = BTreeMap::new();
    let base = Arc::new(PhotoBase::Folder(root.to_path_buf()));
    for Row { path, label, part } in rows {
        let photo = PhotoPlace::in_folder(&base, &root.join(path));
        parts.entry(part).or_default().entry(label).or_default().push(photo);
    }
    let mut part = |part: Part, skipped: Vec<Skipped>| {
        let classes = parts.remove(&part)?.into_iter().map(|(name, mut photos)| {
            photos.sort_by_cached_key(PhotoPlace::relative_path);
            ClassIndex { folder: root.join(&name), name, photos }
        });
        Some(PartIndex::listed(root, classes.collect(), skipped))
    };
    DatasetIndex {
        train: part(Part::Train, skipped).unwrap_or_else(|| PartIndex::listed(root, Vec::new(), Vec::new())),
        valid: part(Part::Valid, Vec::new()),
        test: part(Part::Test, Vec::new()),
    }
}
