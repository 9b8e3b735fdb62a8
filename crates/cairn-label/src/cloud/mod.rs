//! Object stores and web servers: S3, Google Cloud Storage, Azure, HTTP.

mod bucket;
mod connection;
mod fault;
mod fetch;
mod file;

use std::io;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use object_store::ObjectStore as _;

use self::bucket::Bucket;
use self::connection::{Connections, Object};
use self::fetch::Budget;
use self::file::FarFile;
use crate::address::Address;
use crate::store::{Store, StoredFile};
use crate::stores::Stop;

pub(crate) use self::fault::is_of_file;
pub(crate) use self::fetch::Fetch;

/// All stores, and what is read of them ahead of its turn.
pub(crate) struct Cloud {
    connections: Arc<Connections>,
    budget: Arc<Budget>,
}

impl Cloud {
    /// `variables` have the credentials, as in an environment.
    pub(crate) fn new(stop: Stop, variables: Vec<(String, String)>) -> Self {
        Self { connections: Arc::new(Connections::new(stop, variables)), budget: Arc::new(Budget::default()) }
    }

    fn object(&self, address: &Address) -> io::Result<Object> {
        Connections::object(&self.connections, address)
    }

    /// What begins with an address, to write to.
    pub(crate) fn bucket(&self, address: &Address) -> io::Result<Box<dyn Store>> {
        Ok(Box::new(Bucket::new(self.object(address)?)))
    }

    /// Opens a file; `None` of what is not there.
    pub(crate) fn open(&self, address: &Address) -> io::Result<Option<Box<dyn StoredFile>>> {
        let file = FarFile::open(self.object(address)?)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn StoredFile>))
    }

    /// The paths of all files below an address, in order.
    pub(crate) fn below(&self, address: &Address) -> io::Result<Vec<String>> {
        let object = self.object(address)?;
        let listed = object.store.list(Some(&object.path));
        let paths = listed.map_ok(|file| String::from(file.location)).try_collect::<Vec<_>>();
        let mut paths = object.wait(paths)?;
        paths.sort_unstable();
        Ok(paths)
    }

    /// Begins to read the photo at an address.
    pub(crate) fn fetch(&self, address: &Address) -> Fetch {
        match self.object(address) {
            Ok(object) => Fetch::begin(object, &self.budget),
            Err(error) => Fetch::failed(error),
        }
    }

    /// Whether there is room for another photo that is read ahead of its turn.
    pub(crate) fn has_room(&self) -> bool {
        self.budget.has_room()
    }
}
