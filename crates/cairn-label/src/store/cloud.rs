//! Object stores: S3, Google Cloud Storage, Azure, and HTTP for reading.
//!
//! Credentials come by each store's usual environment variables (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`,
//! `AZURE_STORAGE_ACCOUNT_KEY` and their like), and stay out of plans and messages. The stores' client tries again by itself
//! where the network fails.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cairn_photo::{FileKind, Limits};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use tokio::runtime::{Handle, Runtime};
use url::Url;

use super::{Put, Store, StoreError, StoredFile};
use crate::places::Fetching;

/// Threads that talk to stores; they carry bytes and compute little.
const THREADS: usize = 2;

/// The stores that addresses lead to.
pub(crate) struct Cloud {
    runtime: Runtime,
    /// By the part of the address that names the store.
    stores: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

/// A store, and a place in it.
struct Place {
    store: Arc<dyn ObjectStore>,
    path: Path,
}

impl Cloud {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        Ok(Self { runtime, stores: Mutex::default() })
    }

    /// The prefix at an address.
    pub(crate) fn store(&self, address: &str) -> Result<CloudStore, StoreError> {
        let address = address.trim_end_matches('/');
        let place = self.place(address).map_err(|error| store_error(address, "reached", error))?;
        Ok(CloudStore {
            address: address.to_owned(),
            store: place.store,
            prefix: place.path,
            handle: self.runtime.handle().clone(),
        })
    }

    fn place(&self, address: &str) -> Result<Place, Error> {
        let invalid = |error: url::ParseError| Error::Generic { store: "address", source: error.into() };
        let url = Url::parse(address).map_err(invalid)?;
        // Of addresses by HTTPS the bucket may be the first part of the path: those are not shared.
        let key = if matches!(url.scheme(), "http" | "https") {
            address.to_owned()
        } else {
            url[..url::Position::BeforePath].to_owned()
        };
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&key) {
            return Ok(Place { store: Arc::clone(store), path: Path::from_url_path(url.path())? });
        }
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let (store, path) = object_store::parse_url_opts(&url, variables)?;
        let store: Arc<dyn ObjectStore> = store.into();
        if key != address {
            stores.insert(key, Arc::clone(&store));
        }
        Ok(Place { store, path })
    }

    /// The addresses of all photos below an address, by their names, in the order of their paths.
    pub(crate) fn photos_below(&self, address: &str) -> Result<Vec<String>, StoreError> {
        let fault = |error| store_error(address, "listed", error);
        let address = address.trim_end_matches('/');
        let place = self.place(address).map_err(fault)?;
        let objects: Vec<ObjectMeta> =
            self.runtime.block_on(place.store.list(Some(&place.path)).try_collect()).map_err(fault)?;
        let is_photo = |object: &&ObjectMeta| {
            object
                .location
                .filename()
                .is_some_and(|name| !name.starts_with('.') && FileKind::of_name(name).is_photo())
        };
        let mut below: Vec<String> = Vec::new();
        for object in objects.iter().filter(is_photo) {
            let parts: Vec<String> = object
                .location
                .prefix_match(&place.path)
                .into_iter()
                .flatten()
                .map(|part| part.as_ref().to_owned())
                .collect();
            below.push(format!("{address}/{}", parts.join("/")));
        }
        below.sort();
        Ok(below)
    }

    pub(crate) fn fetch(&self, address: &str) -> Fetching {
        let handle = self.runtime.handle().clone();
        let place = self.place(address);
        let fetched = handle.spawn(async move {
            let Place { store, path } = place?;
            let got = store.get(&path).await?;
            if got.meta.size > Limits::default().max_bytes {
                return Ok(None);
            }
            got.bytes().await.map(Some)
        });
        Box::new(move || match handle.block_on(fetched) {
            Ok(Ok(Some(bytes))) => Ok(bytes.into()),
            Ok(Ok(None)) => {
                Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large: no photo has so many bytes"))
            }
            Ok(Err(error)) => Err(io_error(error)),
            Err(error) => Err(io::Error::other(error)),
        })
    }
}

/// Whether it is the object that is missing or closed, or the store that fails.
fn io_error(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } | Error::InvalidPath { .. } => io::ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        Error::NotImplemented { .. } | Error::NotSupported { .. } => io::ErrorKind::Unsupported,
        // The client has tried again already.
        _ => io::ErrorKind::TimedOut,
    };
    io::Error::new(kind, error)
}

fn store_error(place: &str, what: &'static str, error: Error) -> StoreError {
    StoreError { place: place.to_owned(), what, source: io_error(error) }
}

/// A prefix in an object store.
pub(crate) struct CloudStore {
    address: String,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    handle: Handle,
}

impl fmt::Debug for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudStore({})", self.address)
    }
}

impl CloudStore {
    fn error(&self, name: &str, what: &'static str, error: Error) -> StoreError {
        store_error(&format!("{}/{name}", self.address), what, error)
    }
}

impl Store for CloudStore {
    fn name(&self) -> String {
        self.address.clone()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let options = PutOptions::from(PutMode::Create);
        let put = self.store.put_opts(
            &self.prefix.clone().join(name),
            Bytes::copy_from_slice(bytes).into(),
            options,
        );
        match self.handle.block_on(put) {
            Ok(_) => Ok(Put::Written),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Exists),
            Err(error) => Err(self.error(name, "written", error)),
        }
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        let path = self.prefix.clone().join(name);
        match self.handle.block_on(self.store.head(&path)) {
            Ok(meta) => Ok(Some(Box::new(CloudFile {
                store: Arc::clone(&self.store),
                meta,
                handle: self.handle.clone(),
            }))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(name, "read", error)),
        }
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let listed = self.handle.block_on(self.store.list_with_delimiter(Some(&self.prefix)));
        let objects = listed.map_err(|error| self.error("", "listed", error))?.objects;
        Ok(objects
            .into_iter()
            .filter_map(|object| Some((object.location.filename()?.to_owned(), object.size)))
            .collect())
    }
}

struct CloudFile {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    handle: Handle,
}

impl StoredFile for CloudFile {
    fn size(&self) -> u64 {
        self.meta.size
    }

    fn tag(&self) -> String {
        self.meta.e_tag.clone().unwrap_or_else(|| self.meta.last_modified.to_rfc3339())
    }

    fn read(&self, start: u64, end: u64) -> io::Result<Box<dyn Read + Send>> {
        let end = end.min(self.meta.size);
        if start >= end {
            return Ok(Box::new(io::empty()));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(start..end)), ..GetOptions::default() };
        let got =
            self.handle.block_on(self.store.get_opts(&self.meta.location, options)).map_err(io_error)?;
        Ok(Box::new(Stream { stream: got.into_stream(), current: Bytes::new(), handle: self.handle.clone() }))
    }
}

/// The bytes of an object as they come.
struct Stream {
    stream: BoxStream<'static, Result<Bytes, Error>>,
    current: Bytes,
    handle: Handle,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.handle.block_on(self.stream.next()) {
                Some(bytes) => self.current = bytes.map_err(io_error)?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}
