//! Files of a library, and the folders that hold them.

use std::path::{Path, PathBuf};

use cairn_photo::FileKind;
use rusqlite::{OptionalExtension, Row};

use super::words::words;
use super::{FileHash, LibraryId, PayloadHash, State, StateError, bytes_of_path, path_of_bytes};

/// A folder's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub i64);

/// A file's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub i64);

/// What became of a file. Each file that a walk comes upon has exactly one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileState {
    /// Found, and not read yet.
    Pending,
    /// A photo that was read.
    Read,
    /// A photo that cannot be read; the reason says why.
    Unreadable,
    /// It was in work in two crashes, and is not tried again unless asked for.
    Quarantined,
    /// A video, by its name; hashed and not looked at.
    Video,
    /// A sidecar, by its name.
    Sidecar,
    /// Neither photo, video nor sidecar; not opened. The reason names the kind.
    NotAPhoto,
    /// A file or folder that the walk leaves out; the reason says why. Nothing in such a folder is looked at.
    LeftOut,
    /// It was there in an earlier scan.
    Gone,
}

words!(FileState, "state of a file" {
    Pending = "pending",
    Read = "read",
    Unreadable = "unreadable",
    Quarantined = "quarantined",
    Video = "video",
    Sidecar = "sidecar",
    NotAPhoto = "not a photo",
    LeftOut = "left out",
    Gone = "gone",
});

/// By what a file is known to be unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: i64,
    /// Time of the last change of its content, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Time of the last change of its inode; 0 where the system has none.
    pub ctime_ns: i64,
    /// The device; 0 where the system has none.
    pub dev: i64,
    /// The inode; 0 where the system has none.
    pub inode: i64,
    /// Hard links to it.
    pub nlink: i64,
}

impl Stamp {
    /// That of six columns of a row, from number `first` on, in the order of the fields.
    pub(crate) fn of_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Stamp> {
        Ok(Stamp {
            size: row.get(first)?,
            mtime_ns: row.get(first + 1)?,
            ctime_ns: row.get(first + 2)?,
            dev: row.get(first + 3)?,
            inode: row.get(first + 4)?,
            nlink: row.get(first + 5)?,
        })
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// Its number.
    pub id: FileId,
    /// Its library.
    pub library: LibraryId,
    /// Its path in the library.
    pub path: PathBuf,
    /// Its kind by name.
    pub kind: FileKind,
    /// By what it is known to be unchanged.
    pub stamp: Stamp,
    /// Of the whole file, once it was read.
    pub file_hash: Option<FileHash>,
    /// Of its picture, once it was read.
    pub payload_hash: Option<PayloadHash>,
    /// What became of it.
    pub state: FileState,
    /// Why, where the state alone does not say it.
    pub reason: Option<String>,
    /// Crashes of cairn in which it was in work.
    pub crashes: i64,
}

/// The columns that [`FileRow::of`] reads, of a query over `file` joined with its `folder`.
const COLUMNS: &str = "file.id, folder.library, folder.path, file.name, file.kind, file.size, file.mtime_ns, \
     file.ctime_ns, file.dev, file.inode, file.nlink, file.file_hash, file.payload_hash, file.state, file.reason, \
     file.crashes";

impl FileRow {
    fn of(row: &Row<'_>) -> rusqlite::Result<FileRow> {
        let folder = path_of_bytes(row.get(2)?);
        Ok(FileRow {
            id: FileId(row.get(0)?),
            library: LibraryId(row.get(1)?),
            path: folder.join(path_of_bytes(row.get(3)?)),
            kind: kind_of_word(&row.get::<_, String>(4)?),
            stamp: Stamp::of_columns(row, 5)?,
            file_hash: row.get(11)?,
            payload_hash: row.get(12)?,
            state: row.get(13)?,
            reason: row.get(14)?,
            crashes: row.get(15)?,
        })
    }
}

/// A kind's word in the database.
pub(crate) fn word_of_kind(kind: FileKind) -> &'static str {
    kind.noun(1)
}

fn kind_of_word(word: &str) -> FileKind {
    use FileKind::{Archive, Audio, Document, Other, Photo, Raw, Sidecar, Video};
    let all = [Photo, Raw, Video, Sidecar, Document, Archive, Audio];
    all.into_iter().find(|kind| kind.noun(1) == word).unwrap_or(Other)
}

impl State {
    /// The file with this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn file(&self, id: FileId) -> Result<Option<FileRow>, StateError> {
        let query =
            format!("SELECT {COLUMNS} FROM file JOIN folder ON folder.id = file.folder WHERE file.id = ?");
        Ok(self.connection().prepare_cached(&query)?.query_row([id.0], FileRow::of).optional()?)
    }

    /// The file at `path` in the library.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn file_at(&self, library: LibraryId, path: &Path) -> Result<Option<FileRow>, StateError> {
        let folder = bytes_of_path(path.parent().unwrap_or(Path::new("")));
        let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
        let query = format!(
            "SELECT {COLUMNS} FROM file JOIN folder ON folder.id = file.folder \
             WHERE folder.library = ? AND folder.path = ? AND file.name = ?"
        );
        let mut query = self.connection().prepare_cached(&query)?;
        Ok(query.query_row((library.0, folder, name), FileRow::of).optional()?)
    }

    /// Calls `take` with each file of the library that is still there, in order of folders, then of names. Only one is in
    /// memory at a time.
    ///
    /// # Errors
    /// When the database cannot be read, and the first of `take`.
    pub fn each_file<E: From<StateError>>(
        &self,
        library: LibraryId,
        take: impl FnMut(FileRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_file_where(library, "file.state <> 'gone'", take)
    }

    /// As [`State::each_file`], of the files in one state.
    ///
    /// # Errors
    /// When the database cannot be read, and the first of `take`.
    pub fn each_file_in<E: From<StateError>>(
        &self,
        library: LibraryId,
        state: FileState,
        take: impl FnMut(FileRow) -> Result<(), E>,
    ) -> Result<(), E> {
        // The words of states hold no quotation marks.
        self.each_file_where(library, &format!("file.state = '{state}'"), take)
    }

    fn each_file_where<E: From<StateError>>(
        &self,
        library: LibraryId,
        condition: &str,
        mut take: impl FnMut(FileRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let query = format!(
            "SELECT {COLUMNS} FROM folder JOIN file ON file.folder = folder.id \
             WHERE folder.library = ? AND {condition} ORDER BY folder.path, file.name"
        );
        let mut query = self.connection().prepare_cached(&query).map_err(StateError::from)?;
        let mut rows = query.query([library.0]).map_err(StateError::from)?;
        while let Some(row) = rows.next().map_err(StateError::from)? {
            take(FileRow::of(row).map_err(StateError::from)?)?;
        }
        Ok(())
    }
}
