//! Data sets in tar files that stay as they are: `train/*.tar` and the other parts likewise, or `train-*.tar` and `train_*.tar`.
//!
//! A photo's class is what its sample says, in files of one name but for the extension, as WebDataset has them
//! (<https://github.com/webdataset/webdataset>): `0001.jpg` and `0001.cls`, a number or a name. Where there is none it is the
//! folder that the photo is in, as in a tar file of a folder of classes.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::DatasetError;
use crate::index::{ClassIndex, DatasetIndex, PartIndex};
use crate::path_text::path_text;
use crate::photo_place::{PhotoBase, PhotoPlace};
use crate::skipped::{SkipReason, Skipped};
use crate::tar_file::each_member_of_file;

/// A class's name is not longer.
const LONGEST_CLASS: u64 = 1 << 10;

/// The tar files in `folder`, in order of their names.
pub(crate) fn tar_files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = entries.filter(|path| is_tar_name(path) && path.is_file()).collect();
    files.sort();
    files
}

fn is_tar_name(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
}

/// The tar files of a part of the data set in `root`.
fn shards(root: &Path, part: &str) -> Vec<PathBuf> {
    let within = tar_files(&root.join(part));
    if !within.is_empty() {
        return within;
    }
    let of_part = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    };
    tar_files(root).into_iter().filter(of_part).collect()
}

/// Whether the training photos of `root` are in tar files.
pub(crate) fn is_sharded(root: &Path) -> bool {
    let has_folders = |folder: PathBuf| {
        folder.read_dir().is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
    };
    // A tar file beside class folders is a stray one.
    !shards(root, "train").is_empty() && !has_folders(root.join("train"))
}

/// Reads the heads of all members of the tar files in `root`.
///
/// # Errors
/// Where a tar file cannot be read, or both `valid` and `val` are there.
pub(crate) fn scan(root: &Path) -> Result<DatasetIndex, DatasetError> {
    let part = |name: &str| {
        let shards = shards(root, name);
        (!shards.is_empty()).then(|| part(root, name, &shards)).transpose()
    };
    let valid = match (part("valid")?, part("val")?) {
        (Some(_), Some(_)) => {
            return Err(DatasetError::TwoValidationFolders { root: root.to_path_buf() });
        }
        (valid, val) => valid.or(val),
    };
    let train = part("train")?.unwrap_or_else(|| PartIndex::listed(root, Vec::new(), Vec::new()));
    Ok(DatasetIndex { train, valid, test: part("test")? })
}

/// A part whose photos are in these tar files.
fn part(root: &Path, name: &str, shards: &[PathBuf]) -> Result<PartIndex, DatasetError> {
    let folder = match root.join(name) {
        folder if folder.is_dir() => folder,
        _ => root.to_path_buf(),
    };
    let mut classes: BTreeMap<String, Vec<PhotoPlace>> = BTreeMap::new();
    let mut skipped = Vec::new();
    for shard in shards {
        let samples = Samples::read(shard)?;
        for (photo, key) in samples.photos {
            match samples.classes.get(&key).cloned().or_else(|| class_folder(&key)) {
                Some(class) => classes.entry(class).or_default().push(photo),
                None => {
                    skipped.push(Skipped { path: photo.path(), reason: SkipReason::OutsideClasses });
                }
            }
        }
    }
    let classes = classes.into_iter().map(|(name, mut photos)| {
        photos.sort_by_cached_key(PhotoPlace::relative_path);
        ClassIndex { folder: folder.join(&name), name, photos }
    });
    Ok(PartIndex::listed(&folder, classes.collect(), skipped))
}

/// What one tar file holds.
struct Samples {
    /// Each photo with its key: its path up to the first dot of its name.
    photos: Vec<(PhotoPlace, PathBuf)>,
    /// By their keys.
    classes: HashMap<PathBuf, String>,
}

impl Samples {
    fn read(shard: &Path) -> Result<Self, DatasetError> {
        let base = Arc::new(PhotoBase::Tar { file: shard.to_path_buf(), named: true });
        let mut samples = Self { photos: Vec::new(), classes: HashMap::new() };
        let read = each_member_of_file(shard, |member| {
            let Some((key, extension)) = key(&member.path) else { return Ok(ControlFlow::Continue(())) };
            if member.is_photo() {
                let place = PhotoPlace::known(&base, &member.path, member.start, member.bytes);
                samples.photos.push((place, key));
            } else if extension.eq_ignore_ascii_case("cls") {
                let mut text = String::new();
                member.content.take(LONGEST_CLASS).read_to_string(&mut text)?;
                samples.classes.insert(key, text.trim().replace(['/', '\\'], "_"));
            }
            Ok(ControlFlow::Continue(()))
        });
        read.map_err(|source| DatasetError::Read { path: shard.to_path_buf(), source })?;
        samples.classes.retain(|_, class| !class.is_empty());
        Ok(samples)
    }
}

/// The key of a member, and what follows it.
fn key(path: &Path) -> Option<(PathBuf, &str)> {
    let (stem, extension) = path.file_name()?.to_str()?.split_once('.')?;
    Some((path.with_file_name(stem), extension))
}

/// The class of a photo by the folder that it is in, the first below the part's own.
fn class_folder(key: &Path) -> Option<String> {
    let mut folders = key.parent()?.iter().filter(|name| *name != ".").map(path_text);
    let first = folders.next()?;
    // A tar file of `train` as a whole.
    if super::folders::PARTS.contains(&first.as_str()) { folders.next() } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_known_by_its_path_up_to_the_first_dot() {
        let parts = |path| key(Path::new(path)).map(|(key, rest)| (path_text(&key), rest.to_owned()));
        assert_eq!(parts("a/01.seg.png"), Some(("a/01".to_owned(), "seg.png".to_owned())));
        assert_eq!(parts("01.jpg"), Some(("01".to_owned(), "jpg".to_owned())));
        assert_eq!(parts("README"), None);
    }

    #[test]
    fn a_class_is_the_first_folder_below_the_part() {
        for (key, class) in [
            ("12.Tower/a/1", Some("12.Tower")),
            ("./12.Tower/1", Some("12.Tower")),
            ("train/x/1", Some("x")),
            ("1", None),
        ] {
            assert_eq!(class_folder(Path::new(key)).as_deref(), class);
        }
    }
}
