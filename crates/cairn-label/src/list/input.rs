//! What the arguments of a labelling name: lists, and photos of which a list is made.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cairn_dataset::{PhotoListing, Skipped, path_text};
use cairn_photo::FileKind;
use serde::{Deserialize, Serialize};

use super::{Cut, ListError, ListFormat, Rows, is_list_name};
use crate::LabelError;
use crate::address::{is_address, unreached};
use crate::store::{DiskStore, Store, StoreError, StoredFile};

/// The list of the photos that arguments name themselves, in the output.
pub const MADE_LIST: &str = "_photos.jsonl";

/// A list as a plan knows it: by this it is seen that it is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedInput {
    /// Its file's name, without folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Time of change, a store's e-tag, or a hash.
    pub tag: String,
    /// How it is read.
    #[serde(flatten)]
    pub format: ListFormat,
}

/// A list that can be read.
pub struct Input {
    /// What a plan knows of it.
    pub planned: PlannedInput,
    /// What people call it.
    shown: String,
    file: Arc<dyn StoredFile>,
    /// The content of a list that was made of arguments.
    made: Option<Bytes>,
    /// The folder from which relative paths in it are looked for.
    base: PathBuf,
}

impl Input {
    fn new(shown: String, name: String, file: Box<dyn StoredFile>, base: PathBuf) -> Result<Self, ListError> {
        let file: Arc<dyn StoredFile> = file.into();
        let format =
            ListFormat::of(&name, &file).map_err(|reason| ListError { list: shown.clone(), reason })?;
        let planned = PlannedInput { name, bytes: file.size(), tag: file.tag(), format };
        Ok(Self { planned, shown, file, made: None, base })
    }

    /// Cuts it into stretches of at most `most` rows.
    ///
    /// # Errors
    /// When it cannot be read, or makes no sense.
    pub(crate) fn cut(&self, most: u64, each: &mut dyn FnMut(Cut)) -> Result<(), ListError> {
        self.planned.format.cut(&self.file, most, each).map_err(|reason| self.error(reason))
    }

    /// The rows of a stretch.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn rows(&self, cut: Cut) -> Result<Rows, ListError> {
        self.planned.format.rows(&self.planned.name, &self.file, cut).map_err(|reason| self.error(reason))
    }

    /// The folder from which relative paths in it are looked for.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// The content of a list that was made of arguments.
    pub(crate) fn made(&self) -> Option<&[u8]> {
        self.made.as_deref()
    }

    pub(crate) fn error(&self, reason: String) -> ListError {
        ListError { list: self.shown.clone(), reason }
    }
}

/// What arguments name: lists, and photos.
#[derive(Debug, Default)]
pub struct Lists {
    /// Files that are lists by their name.
    pub lists: Vec<PathBuf>,
    /// Photos, of folders too.
    pub photos: Vec<PathBuf>,
    /// Addresses of photos.
    pub far_photos: Vec<String>,
    /// What was left out of folders.
    pub skipped: Vec<Skipped>,
}

impl Lists {
    /// What these arguments name: lists by their names, folders as the photos in them, patterns (`*`, `**`, `?`, `[]`) as
    /// what they match, other files as photos. An address of a photo is a row that says that it is not read.
    ///
    /// # Errors
    /// When a pattern is none or matches nothing, a list is not there, or is an address.
    pub fn of(arguments: &[PathBuf]) -> Result<Self, LabelError> {
        let mut found = Self::default();
        for argument in arguments {
            if is_address(&path_text(argument)) {
                found.add_address(path_text(argument))?;
                continue;
            }
            if argument.exists() || !path_text(argument).contains(['*', '?', '[']) {
                found.add(argument.clone())?;
                continue;
            }
            let pattern = path_text(argument);
            let matches = glob::glob(&pattern).map_err(|error| LabelError::Pattern {
                pattern: pattern.clone(),
                reason: error.to_string(),
            })?;
            let mut some = false;
            for path in matches {
                let path = path.map_err(|error| LabelError::Pattern {
                    pattern: pattern.clone(),
                    reason: error.to_string(),
                })?;
                some = true;
                // `**` matches folders beside what is in them.
                if !path.is_dir() {
                    found.add(path)?;
                }
            }
            if !some {
                return Err(LabelError::Pattern { pattern, reason: "matches nothing".to_owned() });
            }
        }
        match found.lists.len() + found.photos.len() + found.far_photos.len() {
            0 => Err(LabelError::NoPhotos),
            _ => Ok(found),
        }
    }

    fn add_address(&mut self, address: String) -> Result<(), LabelError> {
        let name = address.rsplit('/').next().unwrap_or_default();
        let (place, what) = match () {
            () if is_list_name(name) => {
                (address.rsplit_once('/').unwrap_or_default().0.to_owned(), "reached")
            }
            () if FileKind::of_name(name).is_photo() => {
                self.far_photos.push(address);
                return Ok(());
            }
            () => (address, "listed"),
        };
        let source = unreached(&place);
        Err(StoreError { place, what, source }.into())
    }

    fn add(&mut self, path: PathBuf) -> Result<(), LabelError> {
        if is_list_name(&path) && !path.is_dir() {
            if !path.exists() {
                return Err(ListError { list: path_text(&path), reason: "no such file".to_owned() }.into());
            }
            self.lists.push(path);
            return Ok(());
        }
        if !path.exists() {
            return Err(
                ListError { list: path_text(&path), reason: "no such file or folder".to_owned() }.into()
            );
        }
        let PhotoListing { photos, skipped } = PhotoListing::of([path]);
        self.photos.extend(photos);
        self.skipped.extend(skipped);
        Ok(())
    }

    /// The lists, opened. Photos that are in none become one.
    ///
    /// # Errors
    /// When a list cannot be read or makes no sense, or two have one name.
    pub fn open(&self) -> Result<Vec<Input>, LabelError> {
        let mut inputs: Vec<Input> = Vec::new();
        for path in &self.lists {
            let folder = path.parent().unwrap_or(Path::new(""));
            let name = path.file_name().map(path_text).unwrap_or_default();
            inputs.push(opened(&DiskStore::new(folder), path_text(path), name, folder.to_owned())?);
        }
        for (place, input) in inputs.iter().enumerate() {
            if let Some(other) = inputs[..place].iter().find(|other| other.planned.name == input.planned.name)
            {
                return Err(LabelError::TwoOfOneName {
                    one: other.shown.clone(),
                    other: input.shown.clone(),
                });
            }
        }
        let photos = self.photos.iter().map(path_text).chain(self.far_photos.iter().cloned());
        if !self.photos.is_empty() || !self.far_photos.is_empty() {
            inputs.push(made_list(photos)?);
        }
        Ok(inputs)
    }
}

fn opened(store: &dyn Store, shown: String, name: String, base: PathBuf) -> Result<Input, LabelError> {
    let gone = || ListError { list: shown.clone(), reason: "no such file".to_owned() };
    let file = store.open(&name)?.ok_or_else(gone)?;
    Ok(Input::new(shown, name, file, base)?)
}

/// The list of `photos`, in memory; a plan writes it into the output.
fn made_list(photos: impl Iterator<Item = String>) -> Result<Input, ListError> {
    let mut lines = Vec::new();
    for photo in photos {
        let line = serde_json::json!({ "photo": photo });
        lines.extend_from_slice(format!("{line}\n").as_bytes());
    }
    let content = Bytes::from(lines);
    let file = Box::new(MadeList(content.clone()));
    let input = Input::new("the list of photos".to_owned(), MADE_LIST.to_owned(), file, PathBuf::new())?;
    Ok(Input { made: Some(content), ..input })
}

struct MadeList(Bytes);

impl StoredFile for MadeList {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn tag(&self) -> String {
        format!("blake3:{}", blake3::hash(&self.0).to_hex())
    }

    fn read(&self, start: u64, end: u64) -> io::Result<Box<dyn Read + Send>> {
        let [start, end] = [start, end].map(|place| place.min(self.size()) as usize);
        Ok(Box::new(Cursor::new(self.0.slice(start.min(end)..end))))
    }
}
