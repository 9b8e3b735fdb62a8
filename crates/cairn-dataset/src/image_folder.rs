//! The index of a data set on disk: which photos there are, of which class, in which part.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::formats::manifest;
use crate::index::{PartIndex, slashed};
use crate::path_text::nfc;
use crate::scan::{scan, scan_tests};
use crate::{Class, ClassId, ClassList, DatasetError, ManifestPaths, PhotoPlace, Skipped, ValidSplit};

/// One labelled photo, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where the photo is.
    pub place: PhotoPlace,
    /// The landmark in it.
    pub class: ClassId,
}

impl Example {
    /// Where the photo is: [`PhotoPlace::path`].
    pub fn path(&self) -> PathBuf {
        self.place.path()
    }

    /// Its path from the part's folder as text: [`PhotoPlace::relative_path`].
    /// Whatever is decided by chance for this photo (its part, its augmentation) is decided by this name.
    pub fn relative_path(&self) -> String {
        self.place.relative_path()
    }

    /// The size of its file.
    pub fn bytes(&self) -> u64 {
        self.place.bytes()
    }
}

/// A data set, by its index.
///
/// It comes in one of four forms, told by what is there:
///
/// - Folders `train/CLASS/PHOTO`, `test/CLASS/PHOTO`, and `valid/` or `val/` if there is one: the layout of torchvision's
///   `ImageFolder`. Photos may also be in folders within a class folder.
/// - A manifest: a table with the columns `path`, `label` and, if wanted, `split` (`train`, `valid` or `test`; `train`
///   where there is none), as a `.csv` or `.tsv` file or, with the Cargo feature `parquet`, as a `.parquet` file. Paths start
///   at its folder, with `/` or `\` between folders, and stay within it unless [`ManifestPaths::Anywhere`] is asked for.
///   Labels are taken for names of class folders. Commas, semicolons and tabs part its columns; it is UTF-8, or UTF-16 with a
///   byte order mark.
/// - Google Landmarks v2 as it is published: a folder with `train.csv` or, which goes first, `train_clean.csv`, and
///   photos at `a/b/c/ID.jpg` in it or in its `train/`, or in tar files there. Listed photos that are not on disk are ignored.
/// - Tar files that are not compressed: `train/*.tar` and those of the other parts, or `train-*.tar` in one folder. A photo's
///   class is in the file `KEY.cls` beside `KEY.jpg`, as in WebDataset, or is the folder that the photo is in.
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
        let ignored = scan.parts().flat_map(|(_, part)| part.skipped.iter().cloned()).collect();
        let examples_of = |part: PartIndex| examples(part, &classes, "train");
        let folder = scan.train.folder.clone();
        let train = examples_of(scan.train)?;
        if train.is_empty() {
            return Err(DatasetError::NoPhotos { folder });
        }
        let (train, valid) = match scan.valid {
            Some(valid) => (train, examples_of(valid)?),
            None => hold_back(train, split),
        };
        let test = scan.test.map(examples_of).transpose()?.unwrap_or_default();
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
        let (root, ignored) = (scan.folder.clone(), scan.skipped.clone());
        let examples = examples(scan, classes, "the model")?;
        if examples.is_empty() {
            return Err(DatasetError::NoPhotos { folder: root });
        }
        Ok(TestFolder { root, examples, ignored })
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
        // All paths in one text: millions of texts of their own would take several times as much.
        let (mut text, mut files) = (String::new(), Vec::new());
        for photo in parts.into_iter().flatten() {
            let start = text.len();
            text.push_str(&slashed(&photo.path(), folder));
            files.push((start, text.len(), photo.bytes()));
        }
        files.sort_unstable_by(|a, b| (&text[a.0..a.1], a.2).cmp(&(&text[b.0..b.1], b.2)));
        let mut hasher = blake3::Hasher::new_derive_key("cairn-dataset 2026 fingerprint");
        for (start, end, bytes) in files {
            let path = &text[start..end];
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
    scan: PartIndex,
    classes: &ClassList,
    known_from: &'static str,
) -> Result<Vec<Example>, DatasetError> {
    // A model that was trained elsewhere may have its names in another normal form than the folders here.
    let ids: HashMap<_, ClassId> = classes.iter().map(|(id, class)| (nfc(&class.folder), id)).collect();
    let mut examples = Vec::with_capacity(scan.classes.iter().map(|folder| folder.photos.len()).sum());
    let mut unknown = Vec::new();
    for folder in scan.classes {
        match ids.get(&nfc(&folder.name)) {
            Some(&class) => {
                examples.extend(folder.photos.into_iter().map(|place| Example { place, class }));
            }
            None => unknown.push(folder.name),
        }
    }
    if !unknown.is_empty() {
        return Err(DatasetError::UnknownClasses { folder: scan.folder, known_from, unknown });
    }
    // A model may have its classes in an order of its own.
    if !examples.is_sorted_by_key(|example| example.class) {
        examples.sort_by_key(|example| example.class);
    }
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
fn hold_back(mut train: Vec<Example>, split: &ValidSplit) -> (Vec<Example>, Vec<Example>) {
    let mut is_held = Vec::with_capacity(train.len());
    for class in train.chunk_by(|a, b| a.class == b.class) {
        // Names that differ in their normal form only have one position: their own order parts them.
        let place = |example: &Example| (split.position(&example.relative_path()), example.path());
        let mut places: Vec<(f64, PathBuf)> = class.iter().map(place).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        // A table may list a photo twice.
        places.dedup();
        let below = places.iter().filter(|(position, _)| *position < split.fraction).count();
        let most = places.len() - 1;
        let count = below.clamp(usize::from(split.fraction > 0.0).min(most), most);
        let held_paths: HashSet<&PathBuf> = places[..count].iter().map(|(_, path)| path).collect();
        is_held.extend(class.iter().map(|example| held_paths.contains(&example.path())));
    }
    let mut is_held = is_held.into_iter();
    let held = train.extract_if(.., |_| is_held.next().unwrap_or_default()).collect();
    (train, held)
}
