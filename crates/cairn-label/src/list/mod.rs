//! Lists of photos: CSV, JSON lines, Parquet, tar files; cut into shards, and read a shard at a time.

mod csv;
mod elsewhere;
mod input;
mod json_lines;
mod parquet;
mod tar;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::StoredFile;

pub use elsewhere::ListPlace;
pub(crate) use parquet::open as open_parquet;

pub use input::{Input, Lists, MADE_LIST, PlannedInput};

/// The form of a list, and where in it the photos are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "format")]
pub enum ListFormat {
    /// A table of text whose header names a column `photo` or `path`.
    Csv {
        /// What parts the columns.
        delimiter: char,
        /// The column's place, from 0 on.
        column: usize,
    },
    /// An object a line, with a `photo` or a `path`.
    JsonLines,
    /// A table with a column `photo` or `path`, or `bytes`, or both; in a struct `image` too, as Hugging Face's data sets have it.
    Parquet {
        /// The column of the photos' names.
        photo: Option<String>,
        /// The column of the photos' files. (A plan has it beside the list's size, which is `bytes` there.)
        #[serde(rename = "files")]
        bytes: Option<String>,
    },
    /// A tar file; its members that are photos by their name are its rows. WebDataset and Google Landmarks are delivered so.
    Tar {
        /// Whether it is compressed by gzip.
        gzip: bool,
    },
}

/// A stretch of a list that becomes one shard. What `start` and `end` count depends on the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where it begins: a byte of a text, a row of a table, 0 of a tar file.
    pub start: u64,
    /// Where it ends, exclusive.
    pub end: u64,
    /// How many rows it has, if that is known without reading it.
    pub rows: Option<u64>,
}

/// A photo as a list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPhoto {
    /// What its row is called.
    pub name: String,
    /// Where its content is.
    pub source: Listed,
}

/// Where the content of a listed photo is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// In the file that the name names.
    AtName,
    /// Here.
    Bytes(Vec<u8>),
    /// Nowhere: the list's row makes no sense.
    Unusable(String),
}

impl ListedPhoto {
    fn unusable(name: impl Into<String>, reason: &str) -> Self {
        Self { name: name.into(), source: Listed::Unusable(reason.to_owned()) }
    }

    /// The photo of a cell; an empty one names none.
    fn of_cell(cell: String) -> Self {
        match cell.is_empty() {
            true => Self::unusable(cell, "the list names no photo here"),
            false => Self { name: cell, source: Listed::AtName },
        }
    }
}

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{list}: {reason}")]
pub struct ListError {
    /// The list.
    pub list: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// Rows of a list.
pub type Rows = Box<dyn Iterator<Item = Result<ListedPhoto, String>>>;

/// Whether a file of this name is a list.
pub fn is_list_name(path: impl AsRef<Path>) -> bool {
    Kind::of_name(path.as_ref()).is_some()
}

/// What the name of a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    JsonLines,
    Parquet,
    Tar { gzip: bool },
}

impl Kind {
    fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        match () {
            () if ends(&[".csv", ".tsv"]) => Some(Self::Csv),
            () if ends(&[".jsonl", ".ndjson"]) => Some(Self::JsonLines),
            () if ends(&[".parquet", ".pq"]) => Some(Self::Parquet),
            () if ends(&[".tar"]) => Some(Self::Tar { gzip: false }),
            () if ends(&[".tar.gz", ".tgz"]) => Some(Self::Tar { gzip: true }),
            () => None,
        }
    }
}

impl ListFormat {
    /// The format of a file of this name, as its beginning says more.
    fn of(name: &str, file: &Arc<dyn StoredFile>) -> Result<Self, String> {
        match Kind::of_name(Path::new(name)) {
            Some(Kind::Csv) => csv::format(&**file),
            Some(Kind::JsonLines) => Ok(Self::JsonLines),
            Some(Kind::Parquet) => parquet::format(file),
            Some(Kind::Tar { gzip }) => Ok(Self::Tar { gzip }),
            None => Err("is no list of photos by its name; lists end in .csv, .tsv, .jsonl, .parquet, .tar or .tar.gz".to_owned()),
        }
    }

    /// Cuts the list into stretches of at most `most` rows; a tar file is one. The list is read once, in a stream.
    fn cut(&self, file: &Arc<dyn StoredFile>, most: u64, each: &mut dyn FnMut(Cut)) -> Result<(), String> {
        match self {
            Self::Csv { delimiter, .. } => csv::cut(&**file, *delimiter, most, each),
            Self::JsonLines => json_lines::cut(&**file, most, each),
            Self::Parquet { .. } => parquet::cut(file, most, each),
            Self::Tar { .. } => {
                each(Cut { start: 0, end: file.size(), rows: None });
                Ok(())
            }
        }
    }

    /// The rows of a stretch. A row that makes no sense is a row; an error is the list's, and ends it.
    fn rows(&self, name: &str, file: &Arc<dyn StoredFile>, cut: Cut) -> Result<Rows, String> {
        match self {
            Self::Csv { delimiter, column } => csv::rows(&**file, *delimiter, *column, cut),
            Self::JsonLines => json_lines::rows(&**file, cut),
            Self::Parquet { photo, bytes } => {
                parquet::rows(name, file, photo.as_deref(), bytes.as_deref(), cut)
            }
            Self::Tar { gzip } => tar::rows(name, &**file, *gzip),
        }
    }
}
