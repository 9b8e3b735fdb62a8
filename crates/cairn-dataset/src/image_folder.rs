//! The index of a data set on disk: which photos there are, of which class, in which part.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::formats::manifest;
use crate::index::{PartIndex, PhotoFile, slashed};
use crate::path_text::nfc;
use crate::scan::{scan, scan_tests};
use crate::{Class, ClassId, ClassList, DatasetError, ManifestPaths, Skipped, ValidSplit};

/// One labelled photo, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where the photo is.
    pub path: PathBuf,
    /// Its path from the part's folder as text ([`path_text`](crate::path_text())), `/` between folders on every system:
    /// `12.Eiffel_Tower/night/3.jpg`.
    /// Whatever is decided by chance for this photo (its part, its augmentation) is decided by this name.
    pub relative_path: String,
    /// The landmark in it.
    pub class: ClassId,
    /// The size of its file.
    pub bytes: u64,
}

impl Example {
    fn new(photo: &PhotoFile, class: ClassId) -> Example {
        let PhotoFile { path, relative_path, bytes } = photo;
        Example { path: path.clone(), relative_path: relative_path.clone(), class, bytes: *bytes }
    }
}

/// A data set, by its index.
///
/// It comes in one of three forms, told by what is there:
///
/// - Folders `train/CLASS/PHOTO`, `test/CLASS/PHOTO`, and `valid/` or `val/` if there is one: the layout of torchvision's
///   `ImageFolder`. Photos may also be in folders within a class folder.
/// - A manifest: a table with the columns `path`, `label` and, if wanted, `split` (`train`, `valid` or `test`; `train`
///   where there is none), as a `.csv` or `.tsv` file or, with the Cargo feature `parquet`, as a `.parquet` file. Paths start
///   at its folder, with `/` or `\` between folders, and stay within it unless [`ManifestPaths::Anywhere`] is asked for.
///   Labels are taken for names of class folders. Commas, semicolons and tabs part its columns; it is UTF-8, or UTF-16 with a
///   byte order mark.
/// - Google Landmarks v2 as it is published: a folder with `train.csv` or, which goes first, `train_clean.csv`, and
///   photos at `a/b/c/ID.jpg` in it or in its `train/`. Listed photos that are not on disk are ignored.
///
/// The lists are in order of class, then of path, whatever order the file system gives.
///
/// Left out are hidden files and folders, what programs leave (`@eaDir`, `Thumbs.db`), files that are no photos by their
/// name, and links that lead to a folder above them, to another class or to another part. A photo of `train` that is
/// reached by a link and is also a photo of `valid` or `test` is left out of `train`; one of `valid` that is also one of
/// `test`, out of `valid`.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    /// The data set's folder, or its manifest.
    pub root: PathBuf,
    /// The folders of `train`. A class may lack photos here or in another part.
    pub classes: ClassList,
    /// The photos to learn from.
    pub train: Vec<Example>,
    /// The photos to choose the best model by: from the validation folder, or held back from `train`.
    pub valid: Vec<Example>,
    /// The photos to report on; empty where the data set has no `test`.
    pub test: Vec<Example>,
    /// What was left out, and why.
    pub ignored: Vec<Skipped>,
}

impl ImageFolder {
    /// Indexes the data set in `root`; see [`ImageFolder::open_with`]. A manifest's photos must be in its folder.
    ///
    /// # Errors
    /// As of [`ImageFolder::open_with`].
    pub fn open(root: &Path, split: &ValidSplit) -> Result<ImageFolder, DatasetError> {
        ImageFolder::open_with(root, split, ManifestPaths::default())
    }

    /// Indexes the data set in `root`. Without a validation folder, `split` holds photos of `train` back: in each class
    /// those that it says, and at least one where the class has two.
    ///
    /// Reads names only, no photo: a photo that cannot be read is found out by who reads it.
    ///
    /// # Errors
    /// Where the layout is not that of a data set, a folder cannot be read, two classes have names that differ in their
    /// Unicode normal form only, `split` makes no sense, or `test` or the validation folder has a class folder that
    /// `train` lacks.
    pub fn open_with(
        root: &Path,
        split: &ValidSplit,
        paths: ManifestPaths,
    ) -> Result<ImageFolder, DatasetError> {
        split.validate()?;
        let scan = scan(root, paths)?;
        if scan.train.classes.is_empty() {
            return Err(DatasetError::NoClasses { folder: scan.train.folder });
        }
        scan.parts().try_for_each(|(_, part)| part.refuse_alike_classes())?;
        let classes = ClassList::from_folders(scan.train.classes.iter().map(|class| &class.name));
        let examples_of = |part: &PartIndex| examples(part, &classes, "train");

        let train = examples_of(&scan.train)?;
        if train.is_empty() {
            return Err(DatasetError::NoPhotos { folder: scan.train.folder });
        }
        let (train, valid) = match &scan.valid {
            Some(valid) => (train, examples_of(valid)?),
            None => hold_back(train, split),
        };
        let test = scan.test.as_ref().map(examples_of).transpose()?.unwrap_or_default();
        let ignored = scan.parts().flat_map(|(_, part)| part.skipped.iter().cloned()).collect();
        Ok(ImageFolder { root: root.to_path_buf(), classes, train, valid, test, ignored })
    }

    /// Indexes the photos to test on; see [`ImageFolder::open_test_with`]. A manifest's photos must be in its folder.
    ///
    /// # Errors
    /// As of [`ImageFolder::open_test_with`].
    pub fn open_test(root: &Path, classes: &ClassList) -> Result<TestFolder, DatasetError> {
        ImageFolder::open_test_with(root, classes, ManifestPaths::default())
    }

    /// Indexes the photos that a model with these classes is to be tested on: those of `root/test` where there is one,
    /// else those of `root` itself; of a manifest those of the split `test` where there is one, else all. Folders are
    /// matched to the model's classes by folder name, in whichever Unicode normal form either is.
    ///
    /// # Errors
    /// Where there are no class folders or no photos, `root` has a `train` but no `test`, a folder cannot be read, two
    /// classes have names that differ in their normal form only, or a class folder is not among the model's classes.
    pub fn open_test_with(
        root: &Path,
        classes: &ClassList,
        paths: ManifestPaths,
    ) -> Result<TestFolder, DatasetError> {
        let scan = scan_tests(root, paths)?;
        if scan.classes.is_empty() {
            return Err(DatasetError::NoClasses { folder: scan.folder });
        }
        scan.refuse_alike_classes()?;
        let examples = examples(&scan, classes, "the model")?;
        if examples.is_empty() {
            return Err(DatasetError::NoPhotos { folder: scan.folder });
        }
        Ok(TestFolder { root: scan.folder, examples, ignored: scan.skipped })
    }

    /// The classes without a photo to learn from, in order. No network can learn to name them.
    pub fn untrainable_classes(&self) -> Vec<&Class> {
        let mut photos = vec![0_usize; self.classes.len()];
        self.train.iter().for_each(|example| photos[example.class.index()] += 1);
        self.classes.iter().filter(|(id, _)| photos[id.index()] == 0).map(|(_, class)| class).collect()
    }

    /// Checks that every class has photos to learn from.
    ///
    /// # Errors
    /// [`DatasetError::Untrainable`] with the classes that have none.
    pub fn check_trainable(&self) -> Result<(), DatasetError> {
        let classes: Vec<String> =
            self.untrainable_classes().into_iter().map(|class| class.folder.clone()).collect();
        if classes.is_empty() {
            return Ok(());
        }
        Err(DatasetError::Untrainable { root: self.root.clone(), classes })
    }

    /// A short name for exactly these files: 16 hex digits, a hash of all photos' paths within the data set and
    /// of their sizes. It does not depend on the data set's path, nor on the split.
    pub fn fingerprint(&self) -> String {
        let parts = [&self.train, &self.valid, &self.test];
        // A table's photos are where its own folder says, however the table was named.
        let folder = if manifest::is_manifest(&self.root) {
            self.root.parent().unwrap_or(&self.root)
        } else {
            &self.root
        };
        let mut files: Vec<(String, u64)> =
            parts.into_iter().flatten().map(|photo| (slashed(&photo.path, folder), photo.bytes)).collect();
        files.sort();
        let mut hasher = blake3::Hasher::new_derive_key("cairn-dataset 2026 fingerprint");
        for (path, bytes) in files {
            // The length goes first so that no two lists of files run together into the same text.
            hasher.update(&(path.len() as u64).to_le_bytes());
            hasher.update(path.as_bytes());
            hasher.update(&bytes.to_le_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

/// The photos that a model is tested on.
#[derive(Clone, Debug)]
pub struct TestFolder {
    /// The folder that holds the class folders.
    pub root: PathBuf,
    /// The photos, in order of class, then of path.
    pub examples: Vec<Example>,
    /// What was left out, and why.
    pub ignored: Vec<Skipped>,
}

/// The photos of a part with their classes, unless it has a class folder that is not among `classes`.
fn examples(
    scan: &PartIndex,
    classes: &ClassList,
    known_from: &'static str,
) -> Result<Vec<Example>, DatasetError> {
    // A model that was trained elsewhere may have its names in another normal form than the folders here.
    let ids: HashMap<_, ClassId> = classes.iter().map(|(id, class)| (nfc(&class.folder), id)).collect();
    let mut examples = Vec::new();
    let mut unknown = Vec::new();
    for folder in &scan.classes {
        match ids.get(&nfc(&folder.name)) {
            Some(&class) => examples.extend(folder.photos.iter().map(|photo| Example::new(photo, class))),
            None => unknown.push(folder.name.clone()),
        }
    }
    if !unknown.is_empty() {
        return Err(DatasetError::UnknownClasses { folder: scan.folder.clone(), known_from, unknown });
    }
    // A model may have its classes in an order of its own.
    examples.sort_by_key(|example| example.class);
    Ok(examples)
}

/// Parts the training photos in two by `split`: those to learn from, and those held back.
///
/// In each class, the photos are held back whose position is below the fraction. Two exceptions keep small classes whole:
///
/// - A class of which every photo would be held back keeps the one that comes last: a network cannot name a landmark that
///   it never saw.
/// - A class of two photos or more of which none would be held back gives the one that comes first: what is not validated
///   is not known.
///
/// So a photo moves only where its own class changes, and only while the class is so small that an exception applies.
fn hold_back(train: Vec<Example>, split: &ValidSplit) -> (Vec<Example>, Vec<Example>) {
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    for class in train.chunk_by(|a, b| a.class == b.class) {
        // Names that differ in their normal form only have one position: their own order parts them.
        let place = |example: &Example| (split.position(&example.relative_path), example.path.clone());
        let mut places: Vec<(f64, PathBuf)> = class.iter().map(place).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        // A table may list a photo twice.
        places.dedup();
        let below = places.iter().filter(|(position, _)| *position < split.fraction).count();
        let most = places.len() - 1;
        let count = below.clamp(usize::from(split.fraction > 0.0).min(most), most);
        let held_paths: HashSet<&PathBuf> = places[..count].iter().map(|(_, path)| path).collect();
        for example in class {
            let part = if held_paths.contains(&example.path) { &mut held } else { &mut kept };
            part.push(example.clone());
        }
    }
    (kept, held)
}
