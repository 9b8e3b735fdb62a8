//! Where lists, photos and outputs are: paths on disk. Addresses in object stores are told from paths, and refused with advice.

use std::io;
use std::path::Path;

use cairn_dataset::path_text;

use crate::store::{DiskStore, Store, StoreError};

/// What paths and addresses lead to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Places {}

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
    /// When what talks to stores cannot be started.
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The folder at a path.
    ///
    /// # Errors
    /// Where it is an address.
    pub fn store(&self, place: impl AsRef<Path>) -> Result<Box<dyn Store>, StoreError> {
        let text = path_text(place.as_ref());
        if !is_address(&text) {
            return Ok(Box::new(DiskStore::new(place.as_ref())));
        }
        let source = unreached(&text);
        Err(StoreError { place: text, what: "reached", source })
    }

    /// The addresses of all photos below an address, by their names.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub(crate) fn photos_below(&self, address: &str) -> Result<Vec<String>, StoreError> {
        Err(StoreError { place: address.to_owned(), what: "listed", source: unreached(address) })
    }

    /// Begins to fetch the photo at an address.
    pub(crate) fn fetch(&self, address: &str) -> Fetching {
        let address = address.to_owned();
        Box::new(move || Err(unreached(&address)))
    }
}

fn unreached(address: &str) -> io::Error {
    let advice = format!("{address} is an address, not a path: copy it to this machine first, or mount it");
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
