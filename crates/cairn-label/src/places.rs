//! Where lists, photos and outputs are: paths on disk, or addresses in object stores (feature `cloud`).

use std::io;
use std::path::Path;

use cairn_dataset::path_text;

#[cfg(feature = "cloud")]
use crate::store::cloud::Cloud;
use crate::store::{DiskStore, Store, StoreError};

/// What paths and addresses lead to.
#[derive(Debug)]
pub struct Places {
    #[cfg(feature = "cloud")]
    cloud: Cloud,
}

/// A photo that is on its way: called, it waits for the bytes.
pub(crate) type Fetching = Box<dyn FnOnce() -> io::Result<Vec<u8>>>;

/// Whether this is an address, such as `s3://bucket/photos`, and no path.
pub fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        // A letter alone is a drive of Windows.
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

impl Places {
    /// All that this program can reach.
    ///
    /// # Errors
    /// When the threads that talk to stores cannot be started.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(feature = "cloud")]
            cloud: Cloud::new()?,
        })
    }

    /// The folder at a path, or the prefix at an address.
    ///
    /// # Errors
    /// When the address is none, or this program reaches no addresses.
    pub fn store(&self, place: impl AsRef<Path>) -> Result<Box<dyn Store>, StoreError> {
        let text = path_text(place.as_ref());
        if !is_address(&text) {
            return Ok(Box::new(DiskStore::new(place.as_ref())));
        }
        #[cfg(feature = "cloud")]
        return Ok(Box::new(self.cloud.store(&text)?));
        #[cfg(not(feature = "cloud"))]
        Err(StoreError { place: text, what: "reached", source: not_built_in() })
    }

    /// The addresses of all photos below an address, by their names.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub(crate) fn photos_below(&self, address: &str) -> Result<Vec<String>, StoreError> {
        #[cfg(feature = "cloud")]
        return self.cloud.photos_below(address);
        #[cfg(not(feature = "cloud"))]
        Err(StoreError { place: address.to_owned(), what: "listed", source: not_built_in() })
    }

    /// Begins to fetch the photo at an address.
    pub(crate) fn fetch(&self, address: &str) -> Fetching {
        #[cfg(feature = "cloud")]
        return self.cloud.fetch(address);
        #[cfg(not(feature = "cloud"))]
        {
            let _ = address;
            Box::new(|| Err(not_built_in()))
        }
    }
}

#[cfg(not(feature = "cloud"))]
fn not_built_in() -> io::Error {
    let advice = "this is an address, which this cairn does not read: build it with the feature `cloud`, or copy the photos here";
    io::Error::new(io::ErrorKind::Unsupported, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in ["s3://bucket/a", "https://example.org/a.jpg", "abfss://x@y/z", "gs://b"] {
            assert!(is_address(address), "{address}");
        }
        for path in ["a/b.jpg", "C://photos", "odd name://x", "a:b", "/s3:/x", ""] {
            assert!(!is_address(path), "{path}");
        }
    }
}
