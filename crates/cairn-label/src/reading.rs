//! The photos of a shard, on their way to the model: those in stores are read ahead of their turn.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use cairn_model::PhotoSource;

use crate::cloud::{Fetch, is_of_file};
use crate::list::{Input, ListError, Listed, ListedPhoto, Rows};
use crate::store::StoreError;
use crate::stores::{Place, Stores};

/// Rows that are taken from the list ahead of their turn.
const MOST_AHEAD: usize = 1024;

/// Why a shard is not done. It may be tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// Its part of the list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// Its file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A photo cannot be read now, for a reason that is none of the photo's: a disk or network that fails.
    #[error("{photo}: cannot be read now")]
    Photo {
        /// The photo.
        photo: String,
        /// What the system says.
        source: io::Error,
    },
    /// Its rows cannot be made a file.
    #[error("the rows cannot be written as Parquet")]
    Table(#[from] parquet::errors::ParquetError),
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// A shard's photos. Few rows are taken from the list before they are wanted, unless their photos are in a store: those are
/// read meanwhile, as far as there is room.
pub(crate) struct Reading<'a> {
    input: &'a Input,
    stores: &'a Stores,
    rows: Rows,
    ahead: VecDeque<Row>,
    is_listed: bool,
    error: Option<ListError>,
}

/// A row that is taken from the list.
struct Row {
    name: String,
    content: Content,
}

enum Content {
    Path(PathBuf),
    Bytes(Vec<u8>),
    Far(Fetch),
    Unusable(String),
}

/// A row whose turn it is: its name, and its photo, or why the model is not asked.
pub(crate) type NextPhoto = (String, Result<PhotoSource, String>);

impl<'a> Reading<'a> {
    /// Begins to read these rows of a list.
    pub(crate) fn begin(input: &'a Input, rows: Rows, stores: &'a Stores) -> Self {
        let mut reading = Self { input, stores, rows, ahead: VecDeque::new(), is_listed: false, error: None };
        reading.read_ahead();
        reading
    }

    /// Whether all rows are taken from the list, so that none of their photos needs room any more.
    pub(crate) fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Takes rows from the list as long as their photos are in stores and there is room for them.
    pub(crate) fn read_ahead(&mut self) {
        let is_far = |row: Option<&Row>| row.is_none_or(|row| matches!(row.content, Content::Far(_)));
        while !self.is_listed
            && self.ahead.len() < MOST_AHEAD
            && is_far(self.ahead.back())
            && (self.ahead.is_empty() || self.stores.has_room())
        {
            match self.rows.next() {
                Some(Ok(row)) => {
                    let row = self.row(row);
                    self.ahead.push_back(row);
                }
                Some(Err(reason)) => {
                    self.error = Some(self.input.error(reason));
                    self.is_listed = true;
                }
                None => self.is_listed = true,
            }
        }
    }

    fn row(&self, ListedPhoto { name, source }: ListedPhoto) -> Row {
        match source {
            Listed::Bytes(bytes) => Row { name, content: Content::Bytes(bytes) },
            Listed::Unusable(reason) => Row { name, content: Content::Unusable(reason) },
            Listed::AtName => match self.input.place(&name) {
                Ok(Place::Path(path)) => Row { name, content: Content::Path(path) },
                Ok(Place::Address(address)) => {
                    let content = Content::Far(self.stores.fetch(&address));
                    // Whoever knows a signed URL gets the photo.
                    let name = if address.is_signed() { address.to_string() } else { name };
                    Row { name, content }
                }
                // The name may hold a secret.
                Err(error) => Row { name: error.shown, content: Content::Unusable(error.reason) },
            },
        }
    }

    /// The next photo; `None` after the last.
    ///
    /// # Errors
    /// When the list cannot be read on, or a store fails.
    pub(crate) fn next_photo(&mut self) -> Result<Option<NextPhoto>, ShardError> {
        self.read_ahead();
        let Some(Row { name, content }) = self.ahead.pop_front() else {
            return self.error.take().map_or(Ok(None), |error| Err(error.into()));
        };
        let photo = match content {
            Content::Path(path) => Ok(PhotoSource::Path(path)),
            Content::Bytes(bytes) => Ok(PhotoSource::bytes(bytes, &name)),
            Content::Unusable(reason) => Err(reason),
            Content::Far(fetch) => match fetch.take() {
                Ok(bytes) => Ok(PhotoSource::bytes(bytes, &name)),
                Err(error) if is_of_file(&error) => Err(far_reason(&error)),
                Err(_) if self.stores.is_stopped() => return Err(ShardError::Stopped),
                Err(source) => return Err(ShardError::Photo { photo: name, source }),
            },
        };
        Ok(Some((name, photo)))
    }
}

/// Why the photo at an address cannot be read, as of a file.
fn far_reason(error: &io::Error) -> String {
    match error.kind() {
        // In the words of a photo's error.
        io::ErrorKind::FileTooLarge => error.to_string(),
        io::ErrorKind::NotFound => in_words(error),
        _ => format!("cannot be read: {}", in_words(error)),
    }
}

/// What a system or a store says, in words.
pub(crate) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is a file, not a folder".to_owned(),
        _ => {
            let message = error.to_string();
            message.split(" (os error ").next().unwrap_or_default().to_owned()
        }
    }
}
