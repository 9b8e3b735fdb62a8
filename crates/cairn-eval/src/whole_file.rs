//! Files that are there whole or not at all.

use crate::error::EvalError;
use atomic_write_file::AtomicWriteFile;
use std::io::Write;
use std::path::Path;

/// Writes `contents` to a temporary file beside `path`, then renames it, so that nobody ever reads half a
/// file.
pub(crate) fn write_whole(path: &Path, contents: &[u8]) -> Result<(), EvalError> {
    let write = || -> std::io::Result<()> {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(contents)?;
        file.commit()
    };
    write().map_err(|source| EvalError::Write { path: path.to_owned(), source })
}
