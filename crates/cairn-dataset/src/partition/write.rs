//! Writing a partition: as a table, or as folders of links or copies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Partition;
use crate::formats::manifest::{cell_of_path, is_written_whole, plain};
use crate::{DatasetError, path_text};

/// How photos get into the folders of their parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// As another name of the same file. Both must be on one file system.
    HardLink,
    /// As a link to the file's whole path.
    SymbolicLink,
    /// As a file of its own.
    Copy,
}

/// Why a partition could not be written. Nothing is left of what was written by then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// The place is taken.
    #[error("{}: is there already; choose another place, or replace a table with `--force`", path_text(path))]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// The table's name does not say its format.
    #[error(
        "{}: a table's name ends in .csv or .tsv; folders are written by `--link` or `--copy`",
        path_text(path)
    )]
    Extension {
        /// The table that was asked for.
        path: PathBuf,
    },
    /// The folder would be a class of what it is made from.
    #[error(
        "{}: is within {}, whose photos it would hold; choose a place outside",
        path_text(out),
        path_text(root)
    )]
    Inside {
        /// The folder that was asked for.
        out: PathBuf,
        /// The folder of classes.
        root: PathBuf,
    },
    /// A table cannot hold this name.
    #[error(
        "{}: a table cannot hold a name that begins or ends with a space or has a line break; rename it, or use `--link`",
        path_text(path)
    )]
    Unlistable {
        /// The photo.
        path: PathBuf,
    },
    /// A photo could not be put into its part.
    #[error("{}: cannot be put at {}{}", path_text(from), path_text(to), advice(*placement))]
    Place {
        /// The photo.
        from: PathBuf,
        /// Its place in its part.
        to: PathBuf,
        /// How it was to get there.
        placement: Placement,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file or folder could not be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What was written is no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

fn advice(placement: Placement) -> &'static str {
    match placement {
        Placement::HardLink => "; hard links need one file system: use `--link=symbolic` or `--copy`",
        Placement::SymbolicLink => "; where links are not allowed, use `--copy`",
        Placement::Copy => "",
    }
}

/// Where a table's photos are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedPhotos {
    /// In the table's folder or below: their paths are relative to it.
    WithinFolder,
    /// Elsewhere: their paths are absolute, and the table is read with
    /// [`ManifestPaths::Anywhere`](crate::ManifestPaths::Anywhere) only.
    Outside,
}

impl Partition {
    /// Writes the parts as a manifest: a table of `path,label,split`, with commas for `.csv` and tabs for `.tsv`.
    ///
    /// A table that is there is replaced where `replace` says so.
    ///
    /// # Errors
    /// [`PartitionError`]: the place is taken, the name has another ending, or a photo's name fits into no table.
    pub fn write_manifest(&self, out: &Path, replace: bool) -> Result<ListedPhotos, PartitionError> {
        let delimiter = match out.extension().map(|extension| extension.to_ascii_lowercase()) {
            Some(extension) if extension == "csv" => b',',
            Some(extension) if extension == "tsv" => b'\t',
            _ => return Err(PartitionError::Extension { path: out.to_path_buf() }),
        };
        if !replace {
            refuse_existing(out)?;
        }
        let failed = |source: io::Error| PartitionError::Write { path: out.to_path_buf(), source };
        let folder = whole(out.parent().unwrap_or(Path::new(""))).map_err(failed)?;
        let root = whole(&self.root).map_err(failed)?;
        let (prefix, photos) = match root.strip_prefix(&folder) {
            Ok(prefix) => (prefix, ListedPhotos::WithinFolder),
            Err(_) => (root.as_path(), ListedPhotos::Outside),
        };
        let mut table = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        let write = |table: &mut csv::Writer<Vec<u8>>, cells: [&str; 3]| {
            table.write_record(cells).map_err(|error| failed(io::Error::from(error)))
        };
        write(&mut table, ["path", "label", "split"])?;
        for class in &self.classes {
            for (photo, part) in &class.placed {
                let cell = cell_of_path(&prefix.join(photo.strip_prefix(&self.root).unwrap_or(photo)));
                if !is_written_whole(&cell) || !is_written_whole(&class.name) {
                    return Err(PartitionError::Unlistable { path: photo.clone() });
                }
                write(&mut table, [&cell, &class.name, part.name()])?;
            }
        }
        let bytes = table.into_inner().map_err(|error| failed(error.into_error()))?;
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut file = atomic_write_file::AtomicWriteFile::open(out).map_err(failed)?;
        io::Write::write_all(&mut file, &bytes).and_then(|()| file.commit()).map_err(failed)?;
        Ok(photos)
    }

    /// Writes the parts as folders `out/train/CLASS/PHOTO`, `out/valid/...` and `out/test/...`.
    ///
    /// They appear all at once, when all are whole.
    ///
    /// # Errors
    /// [`PartitionError`]: the place is taken or within the folder of classes, or a photo cannot be linked or copied.
    pub fn write_folders(
        &self,
        out: &Path,
        placement: Placement,
        progress: impl Fn(usize, usize),
    ) -> Result<(), PartitionError> {
        refuse_existing(out)?;
        let failed = |source: io::Error| PartitionError::Write { path: out.to_path_buf(), source };
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(failed)?;
        let real_root = self.root.canonicalize().map_err(failed)?;
        if parent.canonicalize().map_err(failed)?.starts_with(&real_root) {
            return Err(PartitionError::Inside { out: out.to_path_buf(), root: self.root.clone() });
        }
        let unfinished =
            tempfile::Builder::new().prefix(".cairn-split-").tempdir_in(parent).map_err(failed)?;
        let parts = unfinished.path().join("parts");
        let total = self.classes.iter().map(|class| class.placed.len()).sum();
        let photos = self.classes.iter().flat_map(|class| &class.placed);
        for (done, (photo, part)) in photos.enumerate() {
            let within = Path::new(part.name()).join(photo.strip_prefix(&self.root).unwrap_or(photo));
            place(photo, &parts.join(&within), placement).map_err(|source| PartitionError::Place {
                from: photo.clone(),
                to: out.join(within),
                placement,
                source,
            })?;
            progress(done + 1, total);
        }
        fs::rename(&parts, out).map_err(failed)
    }
}

fn place(photo: &Path, to: &Path, placement: Placement) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // The file itself, where the photo is a link to it.
    let file = photo.canonicalize()?;
    match placement {
        Placement::HardLink => fs::hard_link(file, to),
        Placement::Copy => fs::copy(file, to).map(|_| ()),
        Placement::SymbolicLink => symbolic_link(&file, to),
    }
}

#[cfg(unix)]
fn symbolic_link(file: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, to)
}

#[cfg(windows)]
fn symbolic_link(file: &Path, to: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(file, to)
}

#[cfg(not(any(unix, windows)))]
fn symbolic_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A folder that is there and empty is free.
fn refuse_existing(out: &Path) -> Result<(), PartitionError> {
    let empty = out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    match out.symlink_metadata() {
        Ok(_) if !empty => Err(PartitionError::Exists { path: out.to_path_buf() }),
        _ => Ok(()),
    }
}

/// The path from the root of the file system on, without `.` and `..`.
fn whole(path: &Path) -> io::Result<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    Ok(plain(&std::path::absolute(path)?))
}
