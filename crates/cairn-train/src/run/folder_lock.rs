//! One process at a time writes into a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::TrainError;

/// A folder that no other process can take while this value lives.
///
/// The lock is the operating system's, on an empty file in the folder. It ends with the process, however that ends; the
/// file stays. File systems that cannot lock protect nothing, and refuse nothing.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the file `name` in `folder`, which must exist.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be made.
    pub(crate) fn take(folder: &Path, name: &str) -> Result<Self, TrainError> {
        let path = folder.join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| TrainError::Write { path, source })?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(TrainError::InUse { path: folder.to_owned() }),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { _file: file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path(), "lock").unwrap();
        let error = FolderLock::take(folder.path(), "lock").unwrap_err();
        assert!(matches!(&error, TrainError::InUse { path } if path == folder.path()), "{error:?}");
        drop(lock);
        FolderLock::take(folder.path(), "lock").unwrap();
    }
}
