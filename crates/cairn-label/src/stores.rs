//! What paths and addresses lead to: folders, and prefixes of object stores.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_dataset::path_text;

use crate::LabelError;
use crate::address::{Address, AddressError, is_address};
use crate::cloud::{Cloud, Fetch};
use crate::store::{DiskStore, Store, StoreError, StoredFile};

/// Whether whoever waits for a store wants to stop.
pub(crate) type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// What paths and addresses lead to. Connections are kept, and are made when they are first needed.
pub struct Stores {
    stop: Stop,
    cloud: Cloud,
}

impl Stores {
    /// All that this program can reach, with the credentials of its environment. `stop` is asked while a store is waited for:
    /// once it is true, waiting ends with an error.
    pub fn new(stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let variables = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::with_variables(stop, variables)
    }

    /// The same with these instead of the environment's variables: `AWS_*`, `GOOGLE_*`, `AZURE_*`.
    pub fn with_variables(
        stop: impl Fn() -> bool + Send + Sync + 'static,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let stop: Stop = Arc::new(stop);
        Self { cloud: Cloud::new(Arc::clone(&stop), variables.into_iter().collect()), stop }
    }

    /// Whether somebody wants to stop.
    pub fn is_stopped(&self) -> bool {
        (self.stop)()
    }

    /// The folder at a path, or what begins with an address, to write to.
    ///
    /// # Errors
    /// When it is an address that cannot be reached or written to.
    pub fn store(&self, place: impl AsRef<Path>) -> Result<Box<dyn Store>, StoreError> {
        let error = |place: String, source| StoreError { place, what: "reached", source };
        match place_of(place.as_ref()) {
            Ok(Place::Path(path)) => Ok(Box::new(DiskStore::new(path))),
            Ok(Place::Address(address)) if address.scheme.is_web() => {
                let advice =
                    "files of web servers are read, not written; name a folder, or s3://, gs:// or az://";
                Err(error(address.to_string(), io::Error::new(io::ErrorKind::Unsupported, advice)))
            }
            Ok(Place::Address(address)) => {
                self.cloud.bucket(&address).map_err(|source| error(address.to_string(), source))
            }
            Err(fault) => Err(error(fault.shown, io::Error::other(fault.reason))),
        }
    }

    /// Opens a file; `None` of what is not there.
    pub(crate) fn open(&self, address: &Address) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        self.cloud.open(address).map_err(|source| StoreError {
            place: address.to_string(),
            what: "read",
            source,
        })
    }

    /// The paths of all files whose names begin as the address does, as if it were a folder's.
    pub(crate) fn below(&self, address: &Address) -> Result<Vec<String>, StoreError> {
        self.cloud.below(address).map_err(|source| StoreError {
            place: address.to_string(),
            what: "listed",
            source,
        })
    }

    /// Begins to read the photo at an address.
    pub(crate) fn fetch(&self, address: &Address) -> Fetch {
        self.cloud.fetch(address)
    }

    /// Whether there is room for another photo that is read ahead of its turn.
    pub(crate) fn has_room(&self) -> bool {
        self.cloud.has_room()
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

/// What an argument names, as another process finds it: an absolute path, or an address.
///
/// # Errors
/// When it is an address that cannot be used, or this process has no working folder.
pub fn place_for_others(argument: &Path) -> Result<String, LabelError> {
    Ok(match place_of(argument)? {
        Place::Path(path) => absolute(&path)?,
        Place::Address(address) => address.to_string(),
    })
}

/// The absolute path, as text; of an empty one the working folder.
pub(crate) fn absolute(path: &Path) -> Result<String, StoreError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let fault = |source| StoreError { place: path_text(path), what: "found", source };
    // The standard library keeps a `.` at the end.
    let absolute: PathBuf = std::path::absolute(path).map_err(fault)?.components().collect();
    Ok(path_text(&absolute))
}

/// What a text of an argument or of a list names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file or folder.
    Path(PathBuf),
    /// Something in a store.
    Address(Address),
}

/// What an argument names.
pub(crate) fn place_of(argument: &Path) -> Result<Place, AddressError> {
    let text = path_text(argument);
    if !is_address(&text) {
        return Ok(Place::Path(argument.to_owned()));
    }
    let address = Address::parse(&text)?;
    Ok(match address.local_path() {
        Some(path) => Place::Path(path),
        None => Place::Address(address),
    })
}
