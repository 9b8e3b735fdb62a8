//! Looking for a data set on disk: its parts, their class folders, and the photos in them.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cairn_photo::FileKind;

use crate::path_text::{nfc, path_text};
use crate::skipped::{SkipReason, Skipped};
use crate::walk::{Found, reason_by_name, reason_of_link, walk};
use crate::{DatasetError, ManifestPaths, google_landmarks, manifest};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
}

impl Part {
    /// What tables and folders call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
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
    pub(crate) fn of(root: &Path, paths: ManifestPaths) -> Result<DatasetScan, DatasetError> {
        if manifest::is_manifest(root) {
            manifest::scan(root, paths)
        } else if google_landmarks::is_google_landmarks(root) {
            google_landmarks::scan(root)
        } else {
            DatasetScan::of_folders(root)
        }
    }

    /// Walks `root/train`, `root/test`, and `root/valid` or `root/val`.
    ///
    /// # Errors
    /// Where there is no `train`, there are both validation folders, one part holds another, or a folder cannot be read.
    fn of_folders(root: &Path) -> Result<DatasetScan, DatasetError> {
        // Says "no such folder" where that is what is wrong, rather than "no train in it".
        if let Err(source) = root.read_dir() {
            return Err(DatasetError::Read { path: root.to_path_buf(), source });
        }
        let parts = part_folders(root)?;
        let part = |name: &str| {
            let folder = root.join(name);
            if folder.is_dir() { PartScan::of(&folder, &parts).map(Some) } else { Ok(None) }
        };
        let Some(train) = part("train")? else { return Err(no_train(root)) };
        let valid = match (part("valid")?, part("val")?) {
            (Some(_), Some(_)) => {
                return Err(DatasetError::TwoValidationFolders { root: root.to_path_buf() });
            }
            (valid, val) => valid.or(val),
        };
        let mut scan = DatasetScan { train, valid, test: part("test")? };
        scan.keep_parts_apart();
        Ok(scan)
    }

    /// Takes photos that are reached by a link out of `train` where they are photos of `valid` or `test`, and out of `valid`
    /// where they are photos of `test`. Parts that link to the same folder outside of the data set meet so.
    fn keep_parts_apart(&mut self) {
        let parts = [self.test.as_mut(), self.valid.as_mut(), Some(&mut self.train)];
        let mut parts: Vec<&mut PartScan> = parts.into_iter().flatten().collect();
        // Without links, no file is in two folders; to resolve the path of every photo takes a while.
        if !parts.iter().any(|part| part.has_links) {
            return;
        }
        let mut taken: HashSet<PathBuf> = HashSet::new();
        for part in &mut parts {
            let files = part.leave_out_files(&taken);
            taken.extend(files);
        }
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

/// What one part of a data set holds.
#[derive(Debug)]
pub(crate) struct PartScan {
    /// The part's folder.
    pub(crate) folder: PathBuf,
    /// Its class folders, in order of their names.
    pub(crate) classes: Vec<ClassScan>,
    /// What was left out, in order.
    pub(crate) skipped: Vec<Skipped>,
    /// Whether any photo or class folder was reached by a link.
    has_links: bool,
}

/// What one class folder holds.
#[derive(Debug)]
pub(crate) struct ClassScan {
    /// The class folder.
    pub(crate) folder: PathBuf,
    /// Its name as text, see [`path_text`].
    pub(crate) name: String,
    /// Its photos, those in folders within it too, in order of their paths.
    pub(crate) photos: Vec<PhotoFile>,
}

/// A file that is a photo by its name.
#[derive(Debug)]
pub(crate) struct PhotoFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path from the part's folder as text, with `/` between folders on every system.
    pub(crate) relative_path: String,
    /// Its size in bytes; 0 where a link leads nowhere.
    pub(crate) bytes: u64,
}

impl PhotoFile {
    /// The photo at `path`, in the part (or the table) whose paths start at `base`.
    pub(crate) fn new(path: PathBuf, base: &Path) -> PhotoFile {
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        PhotoFile { relative_path: slashed(&path, base), path, bytes }
    }
}

impl PartScan {
    /// A part with these classes, which a table lists.
    pub(crate) fn listed(folder: &Path, classes: Vec<ClassScan>, skipped: Vec<Skipped>) -> PartScan {
        PartScan { folder: folder.to_path_buf(), classes, skipped, has_links: false }
    }

    /// The photos to test on: the part `test` of `root` where there is one, else all that is there.
    ///
    /// # Errors
    /// Where a folder or table cannot be read, or `root` has a part `train` but no `test`.
    pub(crate) fn to_test_on(root: &Path, paths: ManifestPaths) -> Result<PartScan, DatasetError> {
        if manifest::is_manifest(root) || google_landmarks::is_google_landmarks(root) {
            let scan = DatasetScan::of(root, paths)?;
            return Ok(scan.test.unwrap_or(scan.train));
        }
        let test = root.join("test");
        if test.is_dir() {
            return PartScan::of(&test, &part_folders(root)?);
        }
        if root.join("train").is_dir() {
            return Err(DatasetError::NoTest { root: root.to_path_buf() });
        }
        PartScan::of_classes(root)
    }

    /// Walks the class folders in `root`, which is no part of a data set.
    ///
    /// # Errors
    /// [`DatasetError::Read`] where a folder cannot be read.
    pub(crate) fn of_classes(root: &Path) -> Result<PartScan, DatasetError> {
        let own: Vec<PathBuf> = root.canonicalize().into_iter().collect();
        PartScan::of(root, &own)
    }

    /// Walks the part in `folder`. Links are followed, but not to folders above them, and not to other classes nor to any
    /// of `parts`: the resolved folders of all parts of the data set.
    ///
    /// # Errors
    /// [`DatasetError::Read`] where a folder cannot be read.
    fn of(folder: &Path, parts: &[PathBuf]) -> Result<PartScan, DatasetError> {
        let mut scan = PartScan::listed(folder, Vec::new(), Vec::new());
        let home = folder.canonicalize().map_err(|source| unreadable(folder, source))?;
        for path in sorted_entries(folder)? {
            match reason_not_a_class(&path, &home, parts) {
                Some(reason) => scan.skipped.push(Skipped { path, reason }),
                None => {
                    let class = scan.walk_class(path, parts)?;
                    scan.classes.push(class);
                }
            }
        }
        // Order of the names as text, which is the order of a `ClassList`, not of `Path`'s components.
        scan.classes.sort_by(|a, b| nfc(&a.name).cmp(&nfc(&b.name)).then_with(|| a.name.cmp(&b.name)));
        scan.skipped.sort();
        Ok(scan)
    }

    fn walk_class(&mut self, class_folder: PathBuf, parts: &[PathBuf]) -> Result<ClassScan, DatasetError> {
        let mut photos = Vec::new();
        let mut failed = None;
        self.has_links |= class_folder.is_symlink();
        walk(&class_folder, parts, |found| match found {
            Found::Photo { path, by_link } => {
                self.has_links |= by_link;
                photos.push(PhotoFile::new(path, &self.folder));
            }
            Found::Skipped(skipped) => self.skipped.push(skipped),
            Found::Unreadable { path, source } => {
                failed.get_or_insert(DatasetError::Read { path, source });
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        photos.sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
        let name = path_text(class_folder.file_name().unwrap_or_default());
        Ok(ClassScan { folder: class_folder, name, photos })
    }

    /// Takes out the photos whose files are among `taken`, and gives the files of the others.
    fn leave_out_files(&mut self, taken: &HashSet<PathBuf>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for class in &mut self.classes {
            class.photos.retain(|photo| {
                // A link that leads nowhere is nobody's file.
                let Ok(file) = photo.path.canonicalize() else { return true };
                if taken.contains(&file) {
                    self.skipped.push(Skipped { path: photo.path.clone(), reason: SkipReason::SameFile });
                    return false;
                }
                files.push(file);
                true
            });
        }
        self.skipped.sort();
        files
    }

    /// Refuses a part in which two class folders are one class by name: which photos are meant is not for us to say.
    ///
    /// # Errors
    /// [`DatasetError::AlikeClasses`].
    pub(crate) fn refuse_alike_classes(&self) -> Result<(), DatasetError> {
        match self.alike_classes().next() {
            None => Ok(()),
            Some((a, b)) => Err(DatasetError::AlikeClasses {
                folder: self.folder.clone(),
                names: [a.name.clone(), b.name.clone()],
            }),
        }
    }

    /// Class folders whose names differ in their Unicode normal form only, in pairs.
    pub(crate) fn alike_classes(&self) -> impl Iterator<Item = (&ClassScan, &ClassScan)> {
        let pairs = self.classes.iter().zip(self.classes.iter().skip(1));
        pairs.filter(|(a, b)| nfc(&a.name) == nfc(&b.name))
    }
}

/// Why the entry of a part is no class folder; `None` where it is one.
fn reason_not_a_class(path: &Path, home: &Path, parts: &[PathBuf]) -> Option<SkipReason> {
    if let Some(reason) = reason_by_name(path) {
        return Some(reason);
    }
    if !path.is_dir() {
        return Some(match FileKind::of_name(path) {
            kind if kind.is_photo() => SkipReason::OutsideClasses,
            kind => SkipReason::Kind(kind),
        });
    }
    if !path.is_symlink() {
        return None;
    }
    // A link to another class of the same part would be taken for a link within one's own folder.
    let within = path.canonicalize().is_ok_and(|target| target != home && target.starts_with(home));
    if within { Some(SkipReason::LinkAcross) } else { reason_of_link(path, home, parts) }
}

/// The parts that a data set of folders may have.
pub(crate) const PARTS: [&str; 4] = ["train", "valid", "val", "test"];

/// The folders of all parts of the data set in `root`, resolved.
///
/// # Errors
/// [`DatasetError::PartInPart`] where one of them is or holds another, by way of a link.
fn part_folders(root: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let folders = PARTS.map(|name| root.join(name));
    let found: Vec<(PathBuf, PathBuf)> =
        folders.into_iter().filter_map(|folder| Some((folder.canonicalize().ok()?, folder))).collect();
    for (at, (target, part)) in found.iter().enumerate() {
        for (other_target, other) in &found[at + 1..] {
            if target.starts_with(other_target) || other_target.starts_with(target) {
                return Err(DatasetError::PartInPart { part: part.clone(), other: other.clone() });
            }
        }
    }
    Ok(found.into_iter().map(|(target, _)| target).collect())
}

/// The error for a folder without `train`, which says more where it looks like a folder of classes.
fn no_train(root: &Path) -> DatasetError {
    // The photos in the folders themselves tell it: a walk through all of them could take minutes.
    let holds_photos = |folder: &PathBuf| {
        let photo = |path: &PathBuf| reason_by_name(path).is_none() && FileKind::of_name(path).is_photo();
        reason_by_name(folder).is_none()
            && sorted_entries(folder).is_ok_and(|entries| entries.iter().any(photo))
    };
    let folders = sorted_entries(root).unwrap_or_default();
    let root = root.to_path_buf();
    match folders.iter().filter(|path| holds_photos(path)).count() {
        0 => DatasetError::NoTrain { root },
        classes => DatasetError::NoParts { root, classes },
    }
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(|source| unreadable(folder, source))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(folder: &Path, source: io::Error) -> DatasetError {
    DatasetError::Read { path: folder.to_path_buf(), source }
}

/// `path` as seen from `base` as text, with `/` between folders, so that it is the same text on every system.
pub(crate) fn slashed(path: &Path, base: &Path) -> String {
    let inner = path.strip_prefix(base).unwrap_or(path);
    let names: Vec<_> = inner.iter().map(path_text).collect();
    names.join("/")
}
