//! Temporary files of a process that was killed.
//!
//! A file `NAME` is written as `.NAME.` and six letters or digits, then renamed (`AtomicWriteFile`).

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::TrainError;

/// Letters and digits that end a temporary file's name.
const SUFFIX: usize = 6;

/// Whether `name` is that of a temporary file of one of `files`.
pub(crate) fn is_one(name: &OsStr, files: &[&str]) -> bool {
    let of = |file: &&str| {
        let suffix = name.to_str()?.strip_prefix('.')?.strip_prefix(*file)?.strip_prefix('.')?;
        (suffix.len() == SUFFIX && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(())
    };
    files.iter().any(|file| of(file).is_some())
}

/// Removes the temporary files of `files` in `folder`. Nobody may be writing there.
pub(crate) fn remove(folder: &Path, files: &[&str]) -> Result<(), TrainError> {
    let entries =
        fs::read_dir(folder).map_err(|source| TrainError::Read { path: folder.to_owned(), source })?;
    for entry in entries.flatten().filter(|entry| is_one(&entry.file_name(), files)) {
        let path = entry.path();
        fs::remove_file(&path).map_err(|source| TrainError::Write { path, source })?;
    }
    Ok(())
}
