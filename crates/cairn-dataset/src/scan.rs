//! Looking for a data set on disk, of whichever form it is.

use std::path::Path;

use crate::formats::{google_landmarks, manifest, shards};
use crate::index::{DatasetIndex, PartIndex};
use crate::{DatasetError, ManifestPaths};

/// The data set in `root`: a manifest, the tables of Google Landmarks v2, tar files, or folders.
///
/// # Errors
/// Where a folder or table cannot be read, or makes no data set.
pub(crate) fn scan(root: &Path, paths: ManifestPaths) -> Result<DatasetIndex, DatasetError> {
    listed(root, paths).unwrap_or_else(|| DatasetIndex::of_folders(root))
}

/// The photos to test on: the part `test` of `root` where there is one, else all that is there.
///
/// # Errors
/// Where a folder or table cannot be read, or `root` has a folder `train` but no `test`.
pub(crate) fn scan_tests(root: &Path, paths: ManifestPaths) -> Result<PartIndex, DatasetError> {
    match listed(root, paths) {
        Some(scan) => scan.map(|scan| scan.test.unwrap_or(scan.train)),
        None => PartIndex::of_tests(root),
    }
}

/// The data set whose photos a table in `root`, or `root` itself, lists, or tar files hold; `None` where neither does.
fn listed(root: &Path, paths: ManifestPaths) -> Option<Result<DatasetIndex, DatasetError>> {
    if manifest::is_manifest(root) {
        Some(manifest::scan(root, paths))
    } else if google_landmarks::is_google_landmarks(root) {
        Some(google_landmarks::scan(root))
    } else if shards::is_sharded(root) {
        Some(shards::scan(root))
    } else {
        None
    }
}
