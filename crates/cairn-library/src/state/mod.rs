//! The database of what is known about libraries, in a folder outside of them.
//!
//! One folder of state serves any number of libraries. Rows that other programs never see are in SQLite; what a person
//! decided and what was written are in text files beside it, too.

mod context;
mod decision;
mod error;
mod file;
mod file_system;
mod group;
mod hash;
mod library;
mod location;
mod lock;
mod op;
mod paths;
mod prediction;
mod reading;
mod schema;
mod words;

pub use context::{ContextRow, Verdict};
pub use decision::{Decision, DecisionRow, Subject};
pub use error::StateError;
pub(crate) use file::word_of_kind;
pub use file::{FileId, FileRow, FileState, FolderId, Stamp};
pub use file_system::FileSystem;
pub use group::{GroupId, GroupMember, Role};
pub use hash::{FileHash, PayloadHash};
pub use library::{LibraryId, LibraryRow};
pub use location::default_folder;
pub use lock::StateLock;
pub use op::{OpRow, OpState, PlanRow};
pub use paths::{bytes_of_path, path_of_bytes};
pub use prediction::{ModelId, ModelRow, PredictionRow};
pub use reading::{Position, PositionSource, ReadingRow};

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a reader waits for the writer of another process.
const BUSY: Duration = Duration::from_secs(30);

/// An open state: the database and its folder.
#[derive(Debug)]
pub struct State {
    connection: Connection,
    folder: PathBuf,
}

impl State {
    /// Opens the state in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made, is on a network file system, or holds the state of a newer cairn.
    pub fn open(folder: &Path) -> Result<State, StateError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| StateError::Folder { path: folder.to_owned(), source })?;
        let folder =
            folder.canonicalize().map_err(|source| StateError::Folder { path: folder.to_owned(), source })?;
        check_file_system(&folder)?;
        let connection = Connection::open(folder.join(schema::DATABASE))?;
        State::prepared(connection, folder)
    }

    /// Opens the state in `folder` if there is one.
    ///
    /// # Errors
    /// When there is none, and as [`State::open`].
    pub fn open_existing(folder: &Path) -> Result<State, StateError> {
        let database = folder.join(schema::DATABASE);
        if !database.is_file() {
            return Err(StateError::Missing { path: folder.to_owned() });
        }
        check_file_system(folder)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        State::prepared(Connection::open_with_flags(database, flags)?, folder.to_owned())
    }

    fn prepared(connection: Connection, folder: PathBuf) -> Result<State, StateError> {
        connection.busy_timeout(BUSY)?;
        schema::prepare(&connection, &folder)?;
        Ok(State { connection, folder })
    }

    /// A second connection whose every commit is on the disk before the call returns (`synchronous=FULL`), for journals.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn durable_connection(&self) -> Result<Connection, StateError> {
        let connection = Connection::open(self.folder.join(schema::DATABASE))?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    }

    /// The folder that holds the database, `decisions.jsonl` and `journal/`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database, for the queries of the modules of this crate.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// SQLite's write-ahead log needs memory that all its processes share, and locks that hold: no network file system has both.
fn check_file_system(folder: &Path) -> Result<(), StateError> {
    let file_system = FileSystem::of(folder);
    if file_system.is_network() {
        return Err(StateError::Network { path: folder.to_owned(), kind: file_system.kind });
    }
    Ok(())
}
