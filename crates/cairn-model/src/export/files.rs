//! Exported files on disk.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use atomic_write_file::AtomicWriteFile;

use super::ExportError;

/// A file that an export consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Where it goes.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Writes the files and makes their folders: each whole or not at all, and none before the last is written out.
///
/// # Errors
/// [`ExportError::Exists`] for a file that is there already, unless `overwrite` says to replace it, and
/// [`ExportError::Write`] when a folder cannot be written.
pub fn write_files(files: &[ExportedFile], overwrite: bool) -> Result<(), ExportError> {
    if !overwrite {
        refuse_existing(files.iter().map(|file| &file.path))?;
    }
    let mut written = Vec::with_capacity(files.len());
    for file in files {
        let staged = stage(file).map_err(|source| ExportError::Write { path: file.path.clone(), source })?;
        written.push((file, staged));
    }
    for (file, staged) in written {
        staged.commit().map_err(|source| ExportError::Write { path: file.path.clone(), source })?;
    }
    Ok(())
}

/// [`ExportError::Exists`] for the first of the files that is there.
fn refuse_existing<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), ExportError> {
    match paths.into_iter().find(|path| path.exists()) {
        Some(path) => Err(ExportError::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

/// The file under a temporary name.
fn stage(file: &ExportedFile) -> io::Result<AtomicWriteFile> {
    // The parent of a name alone is the empty path, which is the current folder and always there.
    if let Some(folder) = file.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut staged = AtomicWriteFile::open(&file.path)?;
    staged.write_all(&file.bytes)?;
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: PathBuf, bytes: &[u8]) -> ExportedFile {
        ExportedFile { path, bytes: bytes.to_vec() }
    }

    #[test]
    fn what_is_there_stays_unless_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["new/first", "new/second"].map(|name| folder.path().join(name));
        write_files(&[file(second.clone(), b"old")], false).unwrap();
        let files = [file(first.clone(), b"1"), file(second.clone(), b"2")];
        let error = write_files(&files, false).unwrap_err();
        assert!(matches!(&error, ExportError::Exists { path } if *path == second), "{error}");
        assert!(!first.exists(), "nothing is written where not everything can be");
        write_files(&files, true).unwrap();
        assert_eq!([fs::read(first).unwrap(), fs::read(second).unwrap()], [b"1", b"2"]);
    }

    #[test]
    fn where_one_file_cannot_be_written_none_is() {
        let folder = tempfile::tempdir().unwrap();
        let (good, blocked) = (folder.path().join("good"), folder.path().join("good/below-a-file"));
        fs::create_dir(&good).unwrap();
        fs::write(&blocked, b"a file").unwrap();
        let files = [file(folder.path().join("first"), b"1"), file(blocked.join("second"), b"2")];
        let error = write_files(&files, false).unwrap_err();
        assert!(matches!(error, ExportError::Write { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file and no temporary one is left");
    }
}
