//! By what it is seen that a file has changed.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A file's size and when it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its size.
    pub bytes: u64,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

impl FileStamp {
    /// That of the file at `path`; `None` of what is not there.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Some(Self { bytes: metadata.len(), modified: modified.map(|time| time.to_string()) })
    }
}
