//! Corrections, kept as photos in folders.
//!
//! `train/CLASS_FOLDER/HASH.jpg` is what `cairn train DIR` and `cairn learn MODEL --name NAME DIR/train/CLASS_FOLDER` take,
//! `other/HASH.jpg` what `cairn calibrate --distractors DIR/other` takes; `feedback.jsonl` has a line for each correction.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cairn_photo::is_photo_name;
use serde::Serialize;

use crate::error::ApiError;
use crate::size::shown_size;

/// Characters of a folder's name at most.
const LONGEST_NAME: usize = 80;
/// The list of corrections.
const LIST: &str = "feedback.jsonl";
/// The folder of photos that show no landmark.
const OTHER: &str = "other";
/// The folder of class folders.
const TRAIN: &str = "train";

/// What a person says a photo shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Correction {
    /// The landmark of this class folder.
    Landmark(String),
    /// None.
    NoLandmark,
}

impl Correction {
    /// A landmark that the model does not know, by the name that a person gives it; `None` of a name without letters.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        folder_name(name).map(Self::Landmark)
    }
}

/// The folder of a name that a person typed: without separators, control characters and leading dots, words joined as in
/// other class folders.
fn folder_name(name: &str) -> Option<String> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() || r#"/\:*?"<>|"#.contains(c) { ' ' } else { c })
        .collect();
    let joined = plain.split_whitespace().collect::<Vec<_>>().join("_");
    let kept: String = joined.trim_start_matches(['.', '-', '~', '_']).chars().take(LONGEST_NAME).collect();
    // Windows has no folder that ends with a dot.
    let kept = kept.trim_end_matches(['.', '_']).to_owned();
    kept.chars().any(char::is_alphanumeric).then_some(kept)
}

/// A photo that was corrected.
#[derive(Debug)]
pub(crate) struct Corrected {
    /// The bytes of its file.
    pub(crate) bytes: bytes::Bytes,
    /// What the client calls it.
    pub(crate) name: String,
    /// What it shows.
    pub(crate) correction: Correction,
    /// The class folder that the model had named, if it had.
    pub(crate) predicted: Option<String>,
    /// The digest of the model.
    pub(crate) model: String,
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    photo: &'a str,
    /// Where it is kept, within the folder.
    file: &'a str,
    /// The class folder; `null` where it shows no landmark.
    class: Option<&'a str>,
    /// What the model had said.
    predicted: Option<&'a str>,
    model: &'a str,
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// Where, within the folder.
    pub(crate) file: String,
    /// The class folder, if it shows a landmark.
    pub(crate) class: Option<String>,
    /// Whether the same photo was kept before, with the same or another correction.
    pub(crate) again: bool,
}

/// The folder of corrections.
#[derive(Debug)]
pub(crate) struct FeedbackFolder {
    folder: PathBuf,
    most: u64,
    /// Bytes that it holds.
    bytes: Mutex<u64>,
}

impl FeedbackFolder {
    /// Makes the folder if it is not there. It never holds more than `most` bytes of photos.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub(crate) fn open(folder: &Path, most: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let bytes = kept(folder)?.iter().map(|(_, bytes)| bytes).sum();
        Ok(Self { folder: folder.to_owned(), most, bytes: Mutex::new(bytes) })
    }

    /// Keeps a photo that was corrected. Kept before, it is moved to where it belongs now: it counts once.
    ///
    /// # Errors
    /// When the folder is full or cannot be written.
    pub(crate) fn keep(&self, photo: &Corrected) -> Result<Kept, ApiError> {
        let Corrected { bytes: photo, name, correction, predicted, model } = photo;
        // One at a time. Nothing is half done if a thread panics: files are renamed whole.
        let mut held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let cannot = |error: io::Error| ApiError::internal(format!("the correction cannot be kept: {error}"));
        let hash = blake3::hash(photo).to_hex();
        let file_name = format!("{}.{}", &hash[..32], ending(name));
        let class = match correction {
            Correction::Landmark(class) => Some(class.as_str()),
            Correction::NoLandmark => None,
        };
        let place = class.map_or_else(|| PathBuf::from(OTHER), |class| Path::new(TRAIN).join(class));
        let file = place.join(&file_name);
        let before: Vec<(PathBuf, u64)> = kept(&self.folder).map_err(cannot)?;
        let same = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == &hash[..32]);
        let before: Vec<(PathBuf, u64)> = before.into_iter().filter(|(path, _)| same(path)).collect();
        let freed: u64 = before.iter().map(|(_, bytes)| bytes).sum();
        if *held - freed.min(*held) + photo.len() as u64 > self.most {
            return Err(ApiError::too_large(format!(
                "the folder of corrections holds {} already (--max-feedback)",
                shown_size(*held)
            )));
        }
        let whole = self.folder.join(&file);
        write_whole(&whole, photo).map_err(cannot)?;
        *held += photo.len() as u64;
        for (old, bytes) in &before {
            if *old != whole {
                fs::remove_file(old).map_err(cannot)?;
            }
            *held -= (*bytes).min(*held);
        }
        let file = slashed(&file);
        let time = jiff::Timestamp::now().to_string();
        let line = Line { time, photo: name, file: &file, class, predicted: predicted.as_deref(), model };
        self.list(&line).map_err(cannot)?;
        Ok(Kept { file, class: class.map(str::to_owned), again: !before.is_empty() })
    }

    fn list(&self, line: &Line<'_>) -> io::Result<()> {
        let json = serde_json::to_string(line)?;
        let mut list = fs::OpenOptions::new().create(true).append(true).open(self.folder.join(LIST))?;
        list.write_all(format!("{json}\n").as_bytes())
    }
}

/// A temporary file in the same folder, then renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let mut file = atomic_write_file::AtomicWriteFile::open(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// The photos that are kept, with their sizes.
fn kept(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join(TRAIN), folder.join(OTHER)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file() {
                found.push((entry.path(), metadata.len()));
            }
        }
    }
    Ok(found)
}

/// What the file's name ends in: as the client's name does if it is a photo's. (The content tells the format.)
fn ending(name: &str) -> String {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let sound = is_photo_name(name) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if sound { ending.to_ascii_lowercase() } else { "jpg".to_owned() }
}

/// A path as lines of the list have it on all systems.
fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrected(photo: &[u8], name: &str, correction: Correction) -> Corrected {
        Corrected {
            bytes: photo.to_vec().into(),
            name: name.to_owned(),
            correction,
            predicted: Some("12.Petra".to_owned()),
            model: "sha256:0".to_owned(),
        }
    }

    #[test]
    fn a_name_that_a_person_types_becomes_a_folder_within_the_folder() {
        for (name, folder) in [
            ("Old Mill", "Old_Mill"),
            ("../../etc/passwd", "etc_passwd"),
            ("..", ""),
            ("/", ""),
            (".hidden", "hidden"),
            ("-rf", "rf"),
            ("C:\\Windows", "C_Windows"),
            ("a\0b\nc", "a_b_c"),
            ("Chichén Itzá", "Chichén_Itzá"),
            ("名所 1", "名所_1"),
            ("   ", ""),
            ("Mill.", "Mill"),
        ] {
            assert_eq!(folder_name(name).unwrap_or_default(), folder, "{name:?}");
        }
        assert_eq!(folder_name(&"x".repeat(500)).unwrap().len(), LONGEST_NAME);
    }

    #[test]
    fn a_photo_counts_once_whatever_is_said_of_it_later() {
        let folder = tempfile::tempdir().unwrap();
        let feedback = FeedbackFolder::open(folder.path(), 1000).unwrap();
        let keep = |photo: &[u8], correction: &Correction| {
            feedback.keep(&corrected(photo, "a b.PNG", correction.clone())).unwrap()
        };
        let mill = Correction::of_name("Old Mill").unwrap();
        let first = keep(b"photo", &mill);
        assert!(first.file.starts_with("train/Old_Mill/") && first.file.ends_with(".png"), "{first:?}");
        assert!(!first.again);
        let second = keep(b"photo", &Correction::NoLandmark);
        assert!(second.file.starts_with("other/") && second.again, "{second:?}");
        assert!(keep(b"photo", &Correction::NoLandmark).again);
        keep(b"another", &mill);
        let files = kept(folder.path()).unwrap();
        assert_eq!(files.len(), 2, "{files:?}");
        let list = fs::read_to_string(folder.path().join(LIST)).unwrap();
        assert_eq!(list.lines().count(), 4);
        let line: serde_json::Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
        assert_eq!((&line["class"], &line["photo"]), (&"Old_Mill".into(), &"a b.PNG".into()), "{line}");
    }

    #[test]
    fn a_full_folder_takes_no_more_and_counts_what_it_held_before() {
        let folder = tempfile::tempdir().unwrap();
        let open = || FeedbackFolder::open(folder.path(), 10).unwrap();
        let keep = |feedback: &FeedbackFolder, photo: &[u8]| {
            feedback.keep(&corrected(photo, "a.jpg", Correction::NoLandmark)).map(|kept| kept.again)
        };
        let feedback = open();
        assert_eq!(keep(&feedback, b"12345678"), Ok(false));
        assert_eq!(keep(&feedback, b"12345678"), Ok(true), "the same again takes no room");
        assert!(keep(&feedback, b"abc").unwrap_err().message.contains("--max-feedback"));
        let feedback = open();
        assert!(keep(&feedback, b"abc").is_err(), "after a restart");
        assert_eq!(keep(&feedback, b"ab"), Ok(false));
    }
}
