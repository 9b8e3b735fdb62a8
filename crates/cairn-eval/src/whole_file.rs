//! Files that are there whole or not at all.

use crate::error::EvalError;
use std::io::Write;
use std::path::Path;
use tempfile::Builder;

/// Writes `contents` to a temporary file beside `path`, then renames it, so that nobody ever reads half a
/// file.
pub(crate) fn write_whole(path: &Path, contents: &[u8]) -> Result<(), EvalError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = Builder::new();
        // Temporary files are their owner's alone, which a picture or a report should not stay: it gets the
        // permissions of any new file (the process's umask still applies).
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| EvalError::Write { path: path.to_owned(), source })
}
