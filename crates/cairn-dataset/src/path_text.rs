//! Paths in reports: as text, even those that are no valid Unicode, which serde's own way refuses with an error.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// One path, what is not Unicode in it replaced by U+FFFD.
pub(crate) fn one<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    path.to_string_lossy().serialize(serializer)
}

/// A list of paths, likewise.
pub(crate) fn many<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}
