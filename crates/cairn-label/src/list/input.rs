//! What the arguments of a labelling name: lists, and photos of which a list is made.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cairn_dataset::{PhotoListing, Skipped, path_of_text, path_text};
use cairn_photo::FileKind;
use serde::{Deserialize, Serialize};

use super::{Cut, ListError, ListFormat, Rows, is_list_name};
use crate::LabelError;
use crate::address::{Address, AddressError, is_address};
use crate::store::{DiskStore, Store, StoredFile};
use crate::stores::{Place, Stores, place_of};

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
    /// The addresses of which it lists all photos; it is made once, and read where it was written afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// How it is read.
    #[serde(flatten)]
    pub format: ListFormat,
}

/// From where names in a list are looked for.
#[derive(Debug, Clone)]
pub(super) enum Base {
    Folder(PathBuf),
    Address(Address),
}

/// Where a list itself is.
#[derive(Debug, Clone)]
pub(super) enum Held {
    File(PathBuf),
    Far(Address),
    /// In the output, or on its way there.
    Output,
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
    pub(super) held: Held,
    pub(super) base: Base,
}

impl Input {
    fn new(
        shown: String,
        name: String,
        file: Box<dyn StoredFile>,
        held: Held,
        base: Base,
    ) -> Result<Self, ListError> {
        let file: Arc<dyn StoredFile> = file.into();
        let format =
            ListFormat::of(&name, &file).map_err(|reason| ListError { list: shown.clone(), reason })?;
        let planned =
            PlannedInput { name, bytes: file.size(), tag: file.tag(), prefixes: Vec::new(), format };
        Ok(Self { planned, shown, file, made: None, held, base })
    }

    /// The list in this file, whose names are looked for from `base` on.
    pub(super) fn at_path(path: &Path, base: Base) -> Result<Self, LabelError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().map(path_text).unwrap_or_default();
        let file = DiskStore::new(folder).open(&name)?;
        opened(file, path_text(path), name, Held::File(path.to_owned()), base)
    }

    /// The list at this address.
    pub(super) fn at_address(address: &Address, stores: &Stores, base: Base) -> Result<Self, LabelError> {
        let (shown, name) = (address.to_string(), address.name().to_owned());
        opened(stores.open(address)?, shown, name, Held::Far(address.clone()), base)
    }

    /// The list of a plan that is in its output.
    pub(super) fn in_output(planned: &PlannedInput, out: &dyn Store, base: Base) -> Result<Self, LabelError> {
        let shown = format!("{}/{MADE_LIST}", out.name());
        match out.open(MADE_LIST)? {
            Some(file) if file.size() == planned.bytes => Ok(Self {
                planned: planned.clone(),
                shown,
                file: file.into(),
                made: None,
                held: Held::Output,
                base,
            }),
            _ => {
                let reason = "is not as it was written; name another output".to_owned();
                Err(ListError { list: shown, reason }.into())
            }
        }
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

    /// What a name in it means.
    ///
    /// # Errors
    /// When it is an address that cannot be used.
    pub(crate) fn place(&self, name: &str) -> Result<Place, AddressError> {
        if !is_address(name) {
            return match &self.base {
                Base::Folder(folder) => Ok(Place::Path(written_path(folder, name))),
                Base::Address(address) => Ok(Place::Address(address.join(name)?)),
            };
        }
        let address = Address::parse(name)?;
        match (address.local_path(), &self.base) {
            (None, _) => Ok(Place::Address(address)),
            (Some(path), Base::Folder(_)) => Ok(Place::Path(path)),
            (Some(_), Base::Address(_)) => {
                let reason = "a list in a store cannot name files of this machine".to_owned();
                Err(AddressError { shown: address.to_string(), reason })
            }
        }
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
    /// Addresses of files that are lists by their name.
    pub far_lists: Vec<Address>,
    /// Photos, of folders too.
    pub photos: Vec<PathBuf>,
    /// Addresses of photos.
    pub far_photos: Vec<Address>,
    /// Addresses of prefixes in stores, which mean all photos below them.
    pub prefixes: Vec<Address>,
    /// What was left out of folders.
    pub skipped: Vec<Skipped>,
}

impl Lists {
    /// What these arguments name: lists by their names, folders as the photos in them, patterns (`*`, `**`, `?`, `[]`) as
    /// what they match, other files as photos; of addresses lists, photos, and all else as the photos below it.
    ///
    /// # Errors
    /// When a pattern is none or matches nothing, a list is not there, or an address cannot be used.
    pub fn of(arguments: &[PathBuf]) -> Result<Self, LabelError> {
        let mut found = Self::default();
        for argument in arguments {
            let argument = match place_of(argument)? {
                Place::Path(path) => path,
                Place::Address(address) => {
                    found.add_address(address)?;
                    continue;
                }
            };
            if argument.exists() || !path_text(&argument).contains(['*', '?', '[']) {
                found.add(argument)?;
                continue;
            }
            let pattern = path_text(&argument);
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
        let far = found.far_lists.len() + found.far_photos.len() + found.prefixes.len();
        match found.lists.len() + found.photos.len() + far {
            0 => Err(LabelError::NoPhotos),
            _ => Ok(found),
        }
    }

    fn add_address(&mut self, address: Address) -> Result<(), AddressError> {
        let refused =
            |reason: &str| Err(AddressError { shown: address.to_string(), reason: reason.to_owned() });
        match address.name() {
            name if is_list_name(name) => self.far_lists.push(address),
            // It would have to be written down in the output.
            name if FileKind::of_name(name).is_photo() && address.is_signed() => {
                return refused("a photo of a signed URL must come in a list, which is not copied");
            }
            name if FileKind::of_name(name).is_photo() => self.far_photos.push(address),
            _ if address.scheme.is_web() => {
                return refused(
                    "is no list and no photo by its name, and a web server does not say what is below it",
                );
            }
            _ => self.prefixes.push(address),
        }
        Ok(())
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

    /// The lists, opened. Photos that are in none become one, which a plan writes into the output. What is below an address is
    /// listed once: if `begun`, the lists of the plan in `out`, has it, it is read from there.
    ///
    /// # Errors
    /// When a list cannot be read or makes no sense, or two have one name.
    pub fn open(
        &self,
        stores: &Stores,
        out: &dyn Store,
        begun: &[PlannedInput],
    ) -> Result<Vec<Input>, LabelError> {
        let mut inputs: Vec<Input> = Vec::new();
        for path in &self.lists {
            let folder = path.parent().unwrap_or(Path::new(""));
            inputs.push(Input::at_path(path, Base::Folder(folder.to_owned()))?);
        }
        for address in &self.far_lists {
            inputs.push(Input::at_address(address, stores, Base::Address(address.parent()))?);
        }
        unless_two_of_one_name(&inputs)?;
        if self.photos.len() + self.far_photos.len() + self.prefixes.len() > 0 {
            inputs.push(match self.made_before(out, begun)? {
                Some(input) => input,
                None => self.made_list(stores)?,
            });
        }
        Ok(inputs)
    }

    /// The addresses of the prefixes, as a plan has them.
    fn shown_prefixes(&self) -> Vec<String> {
        self.prefixes.iter().map(Address::to_string).collect()
    }

    /// The list of the photos below the prefixes, if it is in the output.
    fn made_before(&self, out: &dyn Store, begun: &[PlannedInput]) -> Result<Option<Input>, LabelError> {
        let prefixes = self.shown_prefixes();
        let is_all = !prefixes.is_empty() && self.photos.is_empty() && self.far_photos.is_empty();
        let made = begun.iter().find(|input| is_all && input.name == MADE_LIST && input.prefixes == prefixes);
        made.map(|planned| Input::in_output(planned, out, Base::Folder(PathBuf::new()))).transpose()
    }

    /// The list of all photos that are in no list, in memory; a plan writes it into the output.
    fn made_list(&self, stores: &Stores) -> Result<Input, LabelError> {
        let mut lines = Vec::new();
        let mut add = |photo: String| {
            let line = serde_json::json!({ "photo": photo });
            lines.extend_from_slice(format!("{line}\n").as_bytes());
        };
        self.photos.iter().map(path_text).for_each(&mut add);
        self.far_photos.iter().map(Address::to_string).for_each(&mut add);
        for prefix in &self.prefixes {
            let paths = stores.below(prefix)?;
            let photos =
                paths.iter().filter(|path| is_photo(path)).map(|path| prefix.with_path(path.as_str()));
            photos.map(|photo| photo.to_string()).for_each(&mut add);
        }
        if lines.is_empty() {
            return Err(LabelError::NoPhotos);
        }
        let content = Bytes::from(lines);
        let file = Box::new(MadeList(content.clone()));
        let base = Base::Folder(PathBuf::new());
        let shown = "the list of photos".to_owned();
        let mut input = Input::new(shown, MADE_LIST.to_owned(), file, Held::Output, base)?;
        input.planned.prefixes = self.shown_prefixes();
        Ok(Input { made: Some(content), ..input })
    }
}

/// The file that a list in this folder names: as it is written, else that of which it is the [`path_text`].
fn written_path(folder: &Path, name: &str) -> PathBuf {
    let written = folder.join(name);
    if name.contains('\\') && !written.exists() { folder.join(path_of_text(name)) } else { written }
}

/// Whether a file in a store is a photo by its name. Hidden ones are none, as in folders.
fn is_photo(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    !name.starts_with('.') && FileKind::of_name(name).is_photo()
}

/// A plan knows lists by their names.
fn unless_two_of_one_name(inputs: &[Input]) -> Result<(), LabelError> {
    let mut names = HashMap::new();
    for input in inputs {
        if let Some(one) = names.insert(input.planned.name.as_str(), &input.shown) {
            return Err(LabelError::TwoOfOneName { one: one.clone(), other: input.shown.clone() });
        }
    }
    Ok(())
}

fn opened(
    file: Option<Box<dyn StoredFile>>,
    shown: String,
    name: String,
    held: Held,
    base: Base,
) -> Result<Input, LabelError> {
    let gone = || ListError { list: shown.clone(), reason: "no such file".to_owned() };
    let file = file.ok_or_else(gone)?;
    Ok(Input::new(shown, name, file, held, base)?)
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
