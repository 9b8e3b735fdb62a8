//! The index of a data set on disk: which photos there are, of which class, in which part.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::scan::{DatasetScan, PartScan, PhotoFile, slashed};
use crate::{ClassId, ClassList, DatasetError, ValidSplit};

/// One labelled photo, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where the photo is.
    pub path: PathBuf,
    /// Its path from the part's folder, `/` between folders on every system: `12.Eiffel_Tower/night/3.jpg`.
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
///   `ImageFolder`. Photos may also lie in folders within a class folder.
/// - A manifest: a table with the columns `path`, `label` and, if wanted, `split` (`train`, `valid` or `test`; `train`
///   where there is none), as a `.csv` file or, with the Cargo feature `parquet`, as a `.parquet` file. Paths start at
///   its folder. Labels are taken for names of class folders.
/// - Google Landmarks v2 as it is published: a folder with `train.csv` or, which goes first, `train_clean.csv`, and
///   photos at `a/b/c/ID.jpg` in it or in its `train/`. Listed photos that are not on disk are ignored.
///
/// The lists are in order of class, then of path, whatever order the file system gives.
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
    /// Files left out: hidden ones, and those that are no photos by their name.
    pub ignored: Vec<PathBuf>,
}

impl ImageFolder {
    /// Indexes the data set in `root`. Without a validation folder, `split` holds photos of `train` back.
    ///
    /// Reads names only, no photo: a photo that cannot be read is found out by who reads it.
    ///
    /// # Errors
    /// Where the layout is not that of a data set, a folder cannot be read, `split` makes no sense, or `test` or
    /// the validation folder has a class folder that `train` lacks.
    pub fn open(root: &Path, split: &ValidSplit) -> Result<ImageFolder, DatasetError> {
        split.validate()?;
        let scan = DatasetScan::of(root)?;
        if scan.train.classes.is_empty() {
            return Err(DatasetError::NoClasses { folder: scan.train.folder });
        }
        let classes = ClassList::from_folders(scan.train.classes.iter().map(|class| &class.name));
        let examples_of = |part: &PartScan| examples(part, &classes, "train");

        let train = examples_of(&scan.train)?;
        if train.is_empty() {
            return Err(DatasetError::NoPhotos { folder: scan.train.folder });
        }
        let (train, valid) = match &scan.valid {
            Some(valid) => (train, examples_of(valid)?),
            None => hold_back(train, split),
        };
        let test = scan.test.as_ref().map(examples_of).transpose()?.unwrap_or_default();
        let ignored = scan.parts().flat_map(|(_, part)| part.ignored.iter().cloned()).collect();
        Ok(ImageFolder { root: root.to_path_buf(), classes, train, valid, test, ignored })
    }

    /// Indexes the photos that a model with these classes is to be tested on: those of `root/test` where there is one,
    /// else those of `root` itself; of a manifest those of the split `test` where there is one, else all. Folders are
    /// matched to the model's classes by folder name.
    ///
    /// # Errors
    /// Where there are no class folders or no photos, a folder cannot be read, or a class folder is not among
    /// the model's classes.
    pub fn open_test(root: &Path, classes: &ClassList) -> Result<TestFolder, DatasetError> {
        let scan = PartScan::to_test_on(root)?;
        if scan.classes.is_empty() {
            return Err(DatasetError::NoClasses { folder: scan.folder });
        }
        let examples = examples(&scan, classes, "the model")?;
        if examples.is_empty() {
            return Err(DatasetError::NoPhotos { folder: scan.folder });
        }
        Ok(TestFolder { root: scan.folder, examples, ignored: scan.ignored })
    }

    /// A short name for exactly these files: 16 hex digits, a hash of all photos' paths within the data set and
    /// of their sizes. It does not depend on where the data set lies, nor on the split.
    pub fn fingerprint(&self) -> String {
        let parts = [&self.train, &self.valid, &self.test];
        let mut files: Vec<(String, u64)> = parts
            .into_iter()
            .flatten()
            .map(|photo| (slashed(&photo.path, &self.root), photo.bytes))
            .collect();
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
    /// Files left out: hidden ones, and those that are no photos by their name.
    pub ignored: Vec<PathBuf>,
}

/// The photos of a part with their classes, unless it has a class folder that is not among `classes`.
fn examples(
    scan: &PartScan,
    classes: &ClassList,
    known_from: &'static str,
) -> Result<Vec<Example>, DatasetError> {
    let ids: HashMap<&str, ClassId> = classes.iter().map(|(id, class)| (class.folder.as_str(), id)).collect();
    let mut examples = Vec::new();
    let mut unknown = Vec::new();
    for folder in &scan.classes {
        match ids.get(folder.name.as_str()) {
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
/// A class of which the split would hold back every photo keeps the one that comes last in the split's order:
/// a network cannot name a landmark that it never saw.
fn hold_back(train: Vec<Example>, split: &ValidSplit) -> (Vec<Example>, Vec<Example>) {
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    for class in train.chunk_by(|a, b| a.class == b.class) {
        let position = |example: &Example| split.position(&example.relative_path);
        let last = class.iter().map(position).fold(0.0, f64::max);
        for example in class {
            let at = position(example);
            let part = if at < split.fraction && at < last { &mut held } else { &mut kept };
            part.push(example.clone());
        }
    }
    (kept, held)
}
