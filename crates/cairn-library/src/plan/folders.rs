//! The folders of a library, looked at once each while a plan is made.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::sidecar::FolderNames;

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its path without links.
    pub(super) resolved: PathBuf,
    pub(super) names: FolderNames,
}

/// The folder looked at last: photos come folder by folder.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: HashMap<PathBuf, Rc<Folder>>,
}

impl Folders {
    pub(super) fn get(&mut self, path: &Path) -> io::Result<Rc<Folder>> {
        if let Some(folder) = self.known.get(path) {
            return Ok(Rc::clone(folder));
        }
        let names: io::Result<Vec<_>> = path.read_dir()?.map(|entry| Ok(entry?.file_name())).collect();
        let folder = Rc::new(Folder { resolved: path.canonicalize()?, names: FolderNames::new(names?) });
        // A library has many folders, and only one of them is in work.
        self.known.clear();
        self.known.insert(path.to_owned(), Rc::clone(&folder));
        Ok(folder)
    }
}
