//! Walking a data set on disk: its parts, their class folders, and the photos in them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cairn_photo::is_photo_name;
use walkdir::{DirEntry, WalkDir};

use crate::{DatasetError, google_landmarks, manifest};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
}

/// All parts of a data set as they stand on disk.
#[derive(Debug)]
pub(crate) struct DatasetScan {
    pub(crate) train: PartScan,
    pub(crate) valid: Option<PartScan>,
    pub(crate) test: Option<PartScan>,
}

impl DatasetScan {
    /// Looks at the data set in `root`, of whichever form it is: a manifest, the tables of Google Landmarks v2, or folders.
    ///
    /// # Errors
    /// Where a folder or table cannot be read, or makes no data set.
    pub(crate) fn of(root: &Path) -> Result<DatasetScan, DatasetError> {
        if manifest::is_manifest(root) {
            manifest::scan(root)
        } else if google_landmarks::is_google_landmarks(root) {
            google_landmarks::scan(root)
        } else {
            DatasetScan::of_folders(root)
        }
    }

    /// Walks `root/train`, `root/test`, and `root/valid` or `root/val`.
    ///
    /// # Errors
    /// Where there is no `train`, there are both validation folders, or a folder cannot be read.
    fn of_folders(root: &Path) -> Result<DatasetScan, DatasetError> {
        // Says "no such folder" where that is what is wrong, rather than "no train in it".
        if let Err(source) = root.read_dir() {
            return Err(DatasetError::Read { path: root.to_path_buf(), source });
        }
        let part = |name: &str| {
            let folder = root.join(name);
            if folder.is_dir() { PartScan::of(&folder).map(Some) } else { Ok(None) }
        };
        let train = part("train")?.ok_or_else(|| DatasetError::NoTrain { root: root.to_path_buf() })?;
        let valid = match (part("valid")?, part("val")?) {
            (Some(_), Some(_)) => {
                return Err(DatasetError::TwoValidationFolders { root: root.to_path_buf() });
            }
            (valid, val) => valid.or(val),
        };
        Ok(DatasetScan { train, valid, test: part("test")? })
    }

    /// The parts that there are, each with its name.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Part, &PartScan)> {
        [
            (Part::Train, Some(&self.train)),
            (Part::Valid, self.valid.as_ref()),
            (Part::Test, self.test.as_ref()),
        ]
        .into_iter()
        .filter_map(|(part, scan)| Some((part, scan?)))
    }
}

/// What stands in one part of a data set.
#[derive(Debug)]
pub(crate) struct PartScan {
    /// The part's folder.
    pub(crate) folder: PathBuf,
    /// Its class folders, in order of their names.
    pub(crate) classes: Vec<ClassScan>,
    /// Hidden files and files that are no photos by their name, in order.
    pub(crate) ignored: Vec<PathBuf>,
}

/// What stands in one class folder.
#[derive(Debug)]
pub(crate) struct ClassScan {
    /// The class folder's name.
    pub(crate) name: String,
    /// Its photos, those in folders within it too, in order of their paths.
    pub(crate) photos: Vec<PhotoFile>,
}

/// A file that is a photo by its name.
#[derive(Debug)]
pub(crate) struct PhotoFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path from the part's folder, with `/` between folders on every system.
    pub(crate) relative_path: String,
    /// Its size in bytes; 0 where a link leads nowhere.
    pub(crate) bytes: u64,
}

impl PartScan {
    /// The photos to test on: the part `test` of `root` where there is one, else all that is there.
    ///
    /// # Errors
    /// Where a folder or table cannot be read.
    pub(crate) fn to_test_on(root: &Path) -> Result<PartScan, DatasetError> {
        if manifest::is_manifest(root) || google_landmarks::is_google_landmarks(root) {
            let scan = DatasetScan::of(root)?;
            return Ok(scan.test.unwrap_or(scan.train));
        }
        let test = root.join("test");
        PartScan::of(if test.is_dir() { &test } else { root })
    }

    /// Walks `part`. Links to photos and to folders are followed; a link to a folder that holds it is ignored.
    ///
    /// # Errors
    /// [`DatasetError::Read`] where a folder cannot be read.
    pub(crate) fn of(part: &Path) -> Result<PartScan, DatasetError> {
        let mut scan = PartScan { folder: part.to_path_buf(), classes: Vec::new(), ignored: Vec::new() };
        for path in sorted_entries(part)? {
            if path.is_dir() && !is_hidden(&path) {
                let class = scan.walk_class(&path)?;
                scan.classes.push(class);
            } else {
                scan.ignored.push(path);
            }
        }
        // Order of the names as text, which is the order of a `ClassList`, not of `Path`'s components.
        scan.classes.sort_by(|a, b| a.name.cmp(&b.name));
        scan.ignored.sort();
        Ok(scan)
    }

    fn walk_class(&mut self, class_folder: &Path) -> Result<ClassScan, DatasetError> {
        let mut photos = Vec::new();
        let mut walk = WalkDir::new(class_folder).follow_links(true).min_depth(1).into_iter();
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if is_hidden(entry.path()) => {
                    if entry.file_type().is_dir() {
                        walk.skip_current_dir();
                    }
                    self.ignored.push(entry.into_path());
                }
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if is_photo_file(&entry) => photos.push(self.photo_file(&entry)?),
                Ok(entry) => self.ignored.push(entry.into_path()),
                Err(error) => match fault_of(error, class_folder) {
                    WalkFault::Cycle(link) => self.ignored.push(link),
                    // Kept in the index, so that reading it reports it by name.
                    WalkFault::DeadLink(path) if is_photo_name(&path) => photos.push(self.dead_link(path)),
                    WalkFault::DeadLink(path) => self.ignored.push(path),
                    WalkFault::Unreadable { path, source } => {
                        return Err(DatasetError::Read { path, source });
                    }
                },
            }
        }
        photos.sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
        let name = class_folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(ClassScan { name, photos })
    }

    fn photo_file(&self, entry: &DirEntry) -> Result<PhotoFile, DatasetError> {
        let path = entry.path().to_path_buf();
        match entry.metadata() {
            Ok(metadata) => {
                Ok(PhotoFile { relative_path: slashed(&path, &self.folder), bytes: metadata.len(), path })
            }
            Err(error) => Err(DatasetError::Read { source: error.into(), path }),
        }
    }

    fn dead_link(&self, path: PathBuf) -> PhotoFile {
        PhotoFile { relative_path: slashed(&path, &self.folder), bytes: 0, path }
    }
}

/// What `walkdir` stumbled over, in our terms.
enum WalkFault {
    Cycle(PathBuf),
    DeadLink(PathBuf),
    Unreadable { path: PathBuf, source: io::Error },
}

fn fault_of(error: walkdir::Error, walked: &Path) -> WalkFault {
    let path = error.path().unwrap_or(walked).to_path_buf();
    if error.loop_ancestor().is_some() {
        return WalkFault::Cycle(path);
    }
    let source = io::Error::from(error);
    let dead = source.kind() == io::ErrorKind::NotFound && path.is_symlink();
    if dead { WalkFault::DeadLink(path) } else { WalkFault::Unreadable { path, source } }
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let unreadable = |source| DatasetError::Read { path: folder.to_path_buf(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

/// `path` as seen from `base`, with `/` between folders, so that it is the same text on every system.
pub(crate) fn slashed(path: &Path, base: &Path) -> String {
    let inner = path.strip_prefix(base).unwrap_or(path);
    let names: Vec<_> = inner.iter().map(OsStr::to_string_lossy).collect();
    names.join("/")
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// A file indeed: to read from a pipe that is named like a photo might wait for ever.
fn is_photo_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && is_photo_name(entry.path())
}
