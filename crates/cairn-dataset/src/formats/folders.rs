//! Data sets in folders: parts, class folders in them, and photos in those.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_photo::FileKind;

use crate::DatasetError;
use crate::index::{ClassIndex, DatasetIndex, PartIndex};
use crate::path_text::{nfc, path_text};
use crate::photo_place::{PhotoBase, PhotoPlace};
use crate::skipped::{SkipReason, Skipped};
use crate::walk::{Found, reason_by_name, reason_of_link, walk};

impl DatasetIndex {
    /// Walks `root/train`, `root/test`, and `root/valid` or `root/val`.
    ///
    /// # Errors
    /// Where there is no `train`, there are both validation folders, one part holds another, or a folder cannot be read.
    pub(crate) fn of_folders(root: &Path) -> Result<DatasetIndex, DatasetError> {
        // Says "no such folder" where that is what is wrong, rather than "no train in it".
        if let Err(source) = root.read_dir() {
            return Err(DatasetError::Read { path: root.to_path_buf(), source });
        }
        let parts = part_folders(root)?;
        let part = |name: &str| {
            let folder = root.join(name);
            if folder.is_dir() { PartIndex::of(&folder, &parts).map(Some) } else { Ok(None) }
        };
        let Some(train) = part("train")? else { return Err(no_train(root)) };
        let valid = match (part("valid")?, part("val")?) {
            (Some(_), Some(_)) => {
                return Err(DatasetError::TwoValidationFolders { root: root.to_path_buf() });
            }
            (valid, val) => valid.or(val),
        };
        let mut scan = DatasetIndex { train, valid, test: part("test")? };
        scan.keep_parts_apart();
        Ok(scan)
    }

    /// Takes photos that are reached by a link out of `train` where they are photos of `valid` or `test`, and out of `valid`
    /// where they are photos of `test`. Parts that link to the same folder outside of the data set meet so.
    fn keep_parts_apart(&mut self) {
        let parts = [self.test.as_mut(), self.valid.as_mut(), Some(&mut self.train)];
        let mut parts: Vec<&mut PartIndex> = parts.into_iter().flatten().collect();
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
}

impl PartIndex {
    /// The photos to test on in the folder `root`: its part `test` where there is one, else its class folders.
    ///
    /// # Errors
    /// Where a folder cannot be read, or `root` has a part `train` but no `test`.
    pub(crate) fn of_tests(root: &Path) -> Result<PartIndex, DatasetError> {
        let test = root.join("test");
        if test.is_dir() {
            return PartIndex::of(&test, &part_folders(root)?);
        }
        if root.join("train").is_dir() {
            return Err(DatasetError::NoTest { root: root.to_path_buf() });
        }
        PartIndex::of_classes(root)
    }

    /// Walks the class folders in `root`, which is no part of a data set.
    ///
    /// # Errors
    /// [`DatasetError::Read`] where a folder cannot be read.
    pub(crate) fn of_classes(root: &Path) -> Result<PartIndex, DatasetError> {
        let own: Vec<PathBuf> = root.canonicalize().into_iter().collect();
        PartIndex::of(root, &own)
    }

    /// Walks the part in `folder`. Links are followed, but not to folders above them, and not to other classes nor to any
    /// of `parts`: the resolved folders of all parts of the data set.
    ///
    /// # Errors
    /// [`DatasetError::Read`] where a folder cannot be read.
    fn of(folder: &Path, parts: &[PathBuf]) -> Result<PartIndex, DatasetError> {
        let mut scan = PartIndex::listed(folder, Vec::new(), Vec::new());
        let home = folder.canonicalize().map_err(|source| unreadable(folder, source))?;
        let base = Arc::new(PhotoBase::Folder(folder.to_path_buf()));
        for path in sorted_entries(folder)? {
            match reason_not_a_class(&path, &home, parts) {
                Some(reason) => scan.skipped.push(Skipped { path, reason }),
                None => {
                    let class = scan.walk_class(path, &base, parts)?;
                    scan.classes.push(class);
                }
            }
        }
        // Order of the names as text, which is the order of a `ClassList`, not of `Path`'s components.
        scan.classes.sort_by(|a, b| nfc(&a.name).cmp(&nfc(&b.name)).then_with(|| a.name.cmp(&b.name)));
        scan.skipped.sort();
        Ok(scan)
    }

    fn walk_class(
        &mut self,
        class_folder: PathBuf,
        base: &Arc<PhotoBase>,
        parts: &[PathBuf],
    ) -> Result<ClassIndex, DatasetError> {
        let mut photos = Vec::new();
        let mut failed = None;
        self.has_links |= class_folder.is_symlink();
        walk(&class_folder, parts, |found| match found {
            Found::Photo { path, by_link } => {
                self.has_links |= by_link;
                photos.push(PhotoPlace::in_folder(base, &path));
            }
            Found::Skipped(skipped) => self.skipped.push(skipped),
            Found::Unreadable { path, source } => {
                failed.get_or_insert(DatasetError::Read { path, source });
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        photos.sort_by_cached_key(PhotoPlace::relative_path);
        let name = path_text(class_folder.file_name().unwrap_or_default());
        Ok(ClassIndex { folder: class_folder, name, photos })
    }

    /// Takes out the photos whose files are among `taken`, and gives the files of the others.
    fn leave_out_files(&mut self, taken: &HashSet<PathBuf>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for class in &mut self.classes {
            class.photos.retain(|photo| {
                // A broken link is no file.
                let Ok(file) = photo.path().canonicalize() else { return true };
                if taken.contains(&file) {
                    self.skipped.push(Skipped { path: photo.path(), reason: SkipReason::SameFile });
                    return false;
                }
                files.push(file);
                true
            });
        }
        self.skipped.sort();
        files
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
        0 | 1 => DatasetError::NoTrain { root },
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
