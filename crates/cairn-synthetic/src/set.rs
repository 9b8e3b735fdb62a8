//! Writing a drawn data set to a folder, once.

use super::{Kind, draw};
use cairn_photo::Photo;
use cairn_photo::path_text;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use rayon::prelude::*;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use thiserror::Error;

/// Changes whenever the same parameters give other photos than before.
const GENERATION: u32 = 1;

/// The file in the set's folder that says which set it is.
const MARKER: &str = "drawn-set.txt";

const JPEG_QUALITY: u8 = 90;

/// A drawn data set: which photos, not the photos themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnSet {
    /// Sets with different seeds have no photo in common.
    pub seed: u64,
    /// Training photos of each kind.
    pub train_per_kind: usize,
    /// Test photos of each kind; none of them is ever a training photo, in this set or a larger one.
    pub test_per_kind: usize,
    /// The longer side of every photo in pixels, at least 1.
    pub side: u32,
    /// The classes.
    pub kinds: Vec<Kind>,
}

/// What [`DrawnSet::write`] found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The photos were drawn and written.
    Drawn,
    /// The folder already held exactly this set, and was left as it is.
    AlreadyThere,
}

/// Why a drawn set could not be written.
#[derive(Debug, Error)]
pub enum DrawnSetError {
    /// The folder is not empty and no drawn set.
    #[error("{} exists and is not a drawn data set: choose another folder, or remove it", path_text(dir))]
    Foreign {
        /// The folder that was to be written.
        dir: PathBuf,
    },
    /// The folder holds a drawn set with other parameters.
    #[error("{} holds another drawn data set: choose another folder, or remove it", path_text(dir))]
    OtherSet {
        /// The folder that was to be written.
        dir: PathBuf,
    },
    /// The folder holds this set, but not all of it.
    #[error(
        "{} is missing from the drawn data set: remove the whole folder and draw it again",
        path_text(path)
    )]
    Incomplete {
        /// The first photo that is not there.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error(
        "cannot write the drawn data set to {}; check that the folder is writable and the disk has space",
        path_text(path)
    )]
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A photo could not be encoded.
    #[error("cannot encode {}", path_text(path))]
    Encode {
        /// The photo in question.
        path: PathBuf,
        /// What the encoder says.
        source: ImageError,
    },
}

/// The two parts of a drawn set; a drawn set has no validation part of its own.
#[derive(Clone, Copy)]
enum Part {
    Train,
    Test,
}

impl Part {
    fn folder(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Test => "test",
        }
    }
}

/// One photo of a set: where it goes, relative to the set's folder, and what [`draw`] needs to know.
struct Entry {
    path: PathBuf,
    kind: Kind,
    seed: u64,
}

impl DrawnSet {
    /// Draws the set and writes it as JPEG files, `train/NN.Kind/*.jpg` and `test/NN.Kind/*.jpg`, on all threads.
    ///
    /// The photos appear in `dir` all at once, when the last one is written: an interrupted run leaves no half
    /// a set behind. A folder that already holds exactly this set is left as it is.
    /// `progress` is told how many photos are written, and how many there will be.
    ///
    /// # Errors
    /// If `dir` holds anything else, or cannot be written.
    pub fn write(
        &self,
        dir: &Path,
        progress: impl Fn(usize, usize) + Sync,
    ) -> Result<Outcome, DrawnSetError> {
        let entries = self.entries();
        if self.stands_in(dir, &entries)? {
            return Ok(Outcome::AlreadyThere);
        }
        let parent = match dir.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(at(parent))?;
        let staging = tempfile::Builder::new().prefix(".drawn-").tempdir_in(parent).map_err(at(parent))?;
        for part in [Part::Train, Part::Test] {
            for kind in &self.kinds {
                let folder = staging.path().join(part.folder()).join(kind.folder());
                fs::create_dir_all(&folder).map_err(at(&folder))?;
            }
        }
        let done = AtomicUsize::new(0);
        entries.par_iter().try_for_each(|entry| {
            write_jpeg(&draw(entry.kind, entry.seed, self.side), &staging.path().join(&entry.path))?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, entries.len());
            Ok(())
        })?;
        let marker = staging.path().join(MARKER);
        fs::write(&marker, self.description()).map_err(at(&marker))?;
        move_into_place(staging, dir)?;
        Ok(Outcome::Drawn)
    }

    /// Whether a folder already holds exactly this set; `false` if there is nothing.
    fn stands_in(&self, dir: &Path, entries: &[Entry]) -> Result<bool, DrawnSetError> {
        let mut files = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            files => files.map_err(at(dir))?,
        };
        if files.next().is_none() {
            return Ok(false);
        }
        match fs::read_to_string(dir.join(MARKER)) {
            Err(_) => Err(DrawnSetError::Foreign { dir: dir.into() }),
            Ok(marker) if marker != self.description() => Err(DrawnSetError::OtherSet { dir: dir.into() }),
            Ok(_) => match entries.iter().map(|entry| dir.join(&entry.path)).find(|path| !path.is_file()) {
                Some(path) => Err(DrawnSetError::Incomplete { path }),
                None => Ok(true),
            },
        }
    }

    /// Everything that decides the photos, in words.
    fn description(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        format!(
            "Photos of made-up landmarks, drawn by cairn. This file says which ones; do not change it.\n\
             generation: {GENERATION}\nseed: {}\ntrain per kind: {}\ntest per kind: {}\nside: {}\nkinds: {}\n",
            self.seed,
            self.train_per_kind,
            self.test_per_kind,
            self.side,
            kinds.join(", "),
        )
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (part, count) in [(Part::Train, self.train_per_kind), (Part::Test, self.test_per_kind)] {
            for &kind in &self.kinds {
                for index in 0..count {
                    let file = format!("{index:04}.jpg");
                    let path = Path::new(part.folder()).join(kind.folder()).join(file);
                    entries.push(Entry { path, kind, seed: self.photo_seed(part, kind, index) });
                }
            }
        }
        entries
    }

    /// The seed of one photo: even in training, odd in test, so that no photo can be in both.
    fn photo_seed(&self, part: Part, kind: Kind, index: usize) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"cairn drawn set").update(&self.seed.to_le_bytes());
        hasher.update(kind.name().as_bytes()).update(&(index as u64).to_le_bytes());
        let mut seed = [0; 8];
        hasher.finalize_xof().fill(&mut seed);
        let even = u64::from_le_bytes(seed) & !1;
        match part {
            Part::Train => even,
            Part::Test => even | 1,
        }
    }
}

fn write_jpeg(photo: &Photo, path: &Path) -> Result<(), DrawnSetError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
        .map_err(|source| DrawnSetError::Encode { path: path.into(), source })?;
    fs::write(path, bytes).map_err(at(path))
}

/// Gives the finished set its name.
fn move_into_place(staging: tempfile::TempDir, dir: &Path) -> Result<(), DrawnSetError> {
    // An empty folder may stand there already; where it is not empty any more, this fails, and rightly.
    match fs::remove_dir(dir) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(DrawnSetError::Io { path: dir.into(), source });
        }
        _ => {}
    }
    fs::rename(staging.path(), dir).map_err(at(dir))?;
    // Temporary folders are private to their owner; a data set need not be.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(at(dir))?;
    }
    // The folder has moved away from under the guard, which has nothing left to remove.
    let _ = staging.keep();
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DrawnSetError {
    let path = path.to_path_buf();
    move |source| DrawnSetError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn small_set() -> DrawnSet {
        DrawnSet {
            seed: 3,
            train_per_kind: 3,
            test_per_kind: 2,
            side: 24,
            kinds: vec![Kind::Pyramid, Kind::StoneCircle],
        }
    }

    fn quiet(_done: usize, _all: usize) {}

    /// Every file below a folder, relative to it, with its contents.
    fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found: Vec<_> = walkdir::WalkDir::new(dir)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                (entry.path().strip_prefix(dir).unwrap().to_path_buf(), fs::read(entry.path()).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn the_set_lies_in_class_folders_under_train_and_test() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("deep/drawn");
        assert_eq!(small_set().write(&dir, quiet).unwrap(), Outcome::Drawn);
        let names: Vec<String> =
            files(&dir).iter().map(|(path, _)| path.to_string_lossy().replace('\\', "/")).collect();
        let expected = [
            "drawn-set.txt",
            "test/00.Pyramid/0000.jpg",
            "test/00.Pyramid/0001.jpg",
            "test/05.Stone_Circle/0000.jpg",
            "test/05.Stone_Circle/0001.jpg",
            "train/00.Pyramid/0000.jpg",
            "train/00.Pyramid/0001.jpg",
            "train/00.Pyramid/0002.jpg",
            "train/05.Stone_Circle/0000.jpg",
            "train/05.Stone_Circle/0001.jpg",
            "train/05.Stone_Circle/0002.jpg",
        ];
        assert_eq!(names, expected);
        let photo = Photo::open(dir.join("train/00.Pyramid/0002.jpg")).unwrap();
        assert_eq!(photo.width().max(photo.height()), 24);
        let siblings: Vec<_> = fs::read_dir(dir.parent().unwrap()).unwrap().collect();
        assert_eq!(siblings.len(), 1, "nothing temporary is left beside it");
    }

    #[test]
    fn no_two_photos_are_alike_and_training_and_test_share_none() {
        let set =
            DrawnSet { train_per_kind: 40, test_per_kind: 40, kinds: Kind::ALL.to_vec(), ..small_set() };
        let seeds: BTreeSet<(Kind, u64)> =
            set.entries().iter().map(|entry| (entry.kind, entry.seed)).collect();
        assert_eq!(seeds.len(), set.entries().len());
        let larger = DrawnSet { train_per_kind: 1000, test_per_kind: 0, ..set.clone() };
        let in_training: BTreeSet<u64> = larger.entries().iter().map(|entry| entry.seed).collect();
        let tested = DrawnSet { train_per_kind: 0, ..set };
        assert!(tested.entries().iter().all(|entry| !in_training.contains(&entry.seed)));
    }

    #[test]
    fn the_same_set_is_the_same_bytes_anywhere() {
        let temp = tempfile::tempdir().unwrap();
        let (here, there) = (temp.path().join("here"), temp.path().join("there"));
        small_set().write(&here, quiet).unwrap();
        small_set().write(&there, quiet).unwrap();
        assert_eq!(files(&here), files(&there));
    }

    #[test]
    fn writing_again_leaves_everything_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("drawn");
        small_set().write(&dir, quiet).unwrap();
        let photo = dir.join("train/00.Pyramid/0000.jpg");
        fs::write(&photo, b"not to be overwritten").unwrap();
        assert_eq!(small_set().write(&dir, |_, _| panic!("nothing to draw")).unwrap(), Outcome::AlreadyThere);
        assert_eq!(fs::read(&photo).unwrap(), b"not to be overwritten");
    }

    #[test]
    fn an_empty_folder_is_filled() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("empty");
        fs::create_dir(&dir).unwrap();
        assert_eq!(small_set().write(&dir, quiet).unwrap(), Outcome::Drawn);
    }

    #[test]
    fn a_folder_that_holds_something_else_is_refused_and_untouched() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("letters");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("letter.txt"), b"dear").unwrap();
        let before = files(&dir);
        let error = small_set().write(&dir, quiet).unwrap_err();
        assert!(matches!(error, DrawnSetError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("letters"), "{error}");
        assert_eq!(files(&dir), before);
    }

    #[test]
    fn another_set_in_the_folder_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("drawn");
        small_set().write(&dir, quiet).unwrap();
        let error = DrawnSet { seed: 4, ..small_set() }.write(&dir, quiet).unwrap_err();
        assert!(matches!(error, DrawnSetError::OtherSet { .. }), "{error}");
    }

    #[test]
    fn a_photo_missing_from_the_set_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("drawn");
        small_set().write(&dir, quiet).unwrap();
        fs::remove_file(dir.join("test/05.Stone_Circle/0001.jpg")).unwrap();
        let error = small_set().write(&dir, quiet).unwrap_err();
        assert!(error.to_string().contains("0001.jpg"), "{error}");
    }

    #[test]
    fn progress_counts_up_to_the_number_of_photos() {
        let temp = tempfile::tempdir().unwrap();
        let seen = std::sync::Mutex::new(Vec::new());
        small_set()
            .write(&temp.path().join("drawn"), |done, all| seen.lock().unwrap().push((done, all)))
            .unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (1..=10).map(|done| (done, 10)).collect::<Vec<_>>());
    }
}
