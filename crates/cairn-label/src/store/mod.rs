//! Places that hold files by name: a folder on disk, or whatever keeps files so.

mod disk;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, Read};

pub use disk::DiskStore;

/// A place that holds files by name.
///
/// The one promise that everything stands on is that of [`Store::put_new`]: of all who put a file of one name, one succeeds,
/// and nobody ever sees a part of it.
pub trait Store: Debug + Send + Sync {
    /// What people call it: a path or an address.
    fn name(&self) -> String;

    /// Writes a file unless one of this name is there.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError>;

    /// Opens a file; `None` of what is not there.
    ///
    /// # Errors
    /// When it is there but cannot be opened.
    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError>;

    /// The files directly in it, and their sizes in bytes.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError>;

    /// Removes what writers that were killed have left. Nobody may be writing.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A file to read, from any place on.
pub trait StoredFile: Send + Sync {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// What changes when the file changes: a time, or a store's e-tag.
    fn tag(&self) -> String;

    /// The bytes from `start` to `end`, or to the file's end where that is sooner.
    ///
    /// # Errors
    /// When the file cannot be read there.
    fn read(&self, start: u64, end: u64) -> io::Result<Box<dyn Read + Send>>;
}

/// What became of a file that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// One of this name is there already, and stays.
    Exists,
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: cannot be {what}")]
pub struct StoreError {
    /// The file or folder.
    pub place: String,
    /// What was tried: `written`, `read`, `listed`.
    pub what: &'static str,
    /// What the store says.
    pub source: io::Error,
}

/// The whole of a small file; `None` of what is not there.
///
/// # Errors
/// When it cannot be read.
pub fn read_whole(store: &dyn Store, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(file) = store.open(name)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = file.read(0, file.size()).and_then(|mut reader| reader.read_to_end(&mut bytes));
    read.map_err(|source| StoreError { place: format!("{}/{name}", store.name()), what: "read", source })?;
    Ok(Some(bytes))
}
