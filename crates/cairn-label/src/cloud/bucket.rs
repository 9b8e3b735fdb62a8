//! A prefix of a bucket, to write to.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use object_store::path::Path;
use object_store::{ObjectStore as _, PutMode, PutOptions};

use super::connection::Object;
use super::file::FarFile;
use crate::store::{Put, Store, StoreError, StoredFile};

/// All files whose names begin with a prefix, as if it were a folder's.
pub(super) struct Bucket(Object);

impl Bucket {
    pub(super) fn new(prefix: Object) -> Self {
        Self(prefix)
    }

    fn file(&self, name: &str) -> io::Result<Object> {
        let prefix = self.0.path.as_ref();
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let path = Path::parse(path).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(self.0.with_path(path))
    }

    fn error(&self, name: &str, what: &'static str, source: io::Error) -> StoreError {
        StoreError { place: format!("{}/{name}", self.name()), what, source }
    }
}

impl Store for Bucket {
    fn name(&self) -> String {
        self.0.address.to_string().trim_end_matches('/').to_owned()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let put = || {
            let file = self.file(name)?;
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let done = file.wait_for(file.store.put_opts(&file.path, bytes.to_vec().into(), options))?;
            match done {
                Ok(_) => Ok(Put::Written),
                Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::Exists),
                Err(error) => Err(super::fault::io_error(error, &file.address)),
            }
        };
        put().map_err(|source| self.error(name, "written", source))
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        let file =
            self.file(name).and_then(FarFile::open).map_err(|source| self.error(name, "read", source))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn StoredFile>))
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let listed = self.0.wait(self.0.store.list_with_delimiter(Some(&self.0.path)));
        let listed = listed.map_err(|source| StoreError { place: self.name(), what: "listed", source })?;
        let name = |path: &Path| path.filename().map(str::to_owned);
        Ok(listed.objects.iter().filter_map(|file| Some((name(&file.location)?, file.size))).collect())
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.0.address)
    }
}
