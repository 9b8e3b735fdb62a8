//! A folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use cairn_dataset::path_text;

use super::{Put, Store, StoreError, StoredFile};

/// What the names of files begin with that are being written.
const UNFINISHED: &str = ".cairn-label-";

/// A folder.
#[derive(Debug, Clone)]
pub struct DiskStore {
    folder: PathBuf,
}

impl DiskStore {
    /// The folder at this path, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder: if folder.as_os_str().is_empty() { ".".into() } else { folder } }
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn error(path: &Path, what: &'static str, source: io::Error) -> StoreError {
        StoreError { place: path_text(path), what, source }
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<Put> {
        fs::create_dir_all(&self.folder)?;
        let mut file = unfinished_file().tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(Put::Written),
            // Whatever went wrong: if the file is there, somebody has written it.
            Err(_) if path.exists() => Ok(Put::Exists),
            Err(error) => Err(error.error),
        }
    }
}

fn unfinished_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // As other programs make files; the process's mask still holds.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

impl Store for DiskStore {
    fn name(&self) -> String {
        path_text(&self.folder)
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(Put::Exists);
        }
        self.write_new(&path, bytes).map_err(|error| Self::error(&path, "written", error))
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        let path = self.folder.join(name);
        match DiskFile::open(&path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::error(&path, "read", error)),
        }
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let error = |error| Self::error(&self.folder, "listed", error);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(error(source)),
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(error)?;
            // A file may go while the folder is listed: those that are being written do.
            let Ok(metadata) = entry.metadata() else { continue };
            if let (Ok(name), true) = (entry.file_name().into_string(), metadata.is_file()) {
                files.insert(name, metadata.len());
            }
        }
        Ok(files)
    }

    fn sweep(&self) -> Result<(), StoreError> {
        for name in self.list()?.keys().filter(|name| name.starts_with(UNFINISHED)) {
            // Another process may sweep, too.
            drop(fs::remove_file(self.folder.join(name)));
        }
        Ok(())
    }
}

struct DiskFile {
    path: PathBuf,
    size: u64,
    tag: String,
}

impl DiskFile {
    fn open(path: &Path) -> io::Result<Self> {
        let metadata = File::open(path)?.metadata()?;
        if metadata.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let tag =
            changed.map_or_else(String::new, |time| format!("{}.{:09}", time.as_secs(), time.subsec_nanos()));
        Ok(Self { path: path.to_owned(), size: metadata.len(), tag })
    }
}

impl StoredFile for DiskFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn tag(&self) -> String {
        self.tag.clone()
    }

    fn read(&self, start: u64, end: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Box::new(io::BufReader::with_capacity(1 << 18, file).take(end.saturating_sub(start))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read_whole;

    #[test]
    fn a_file_is_written_once_whole_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("new/out"));
        assert!(store.list().unwrap().is_empty() && store.open("a").unwrap().is_none());
        assert_eq!(store.put_new("a", b"first").unwrap(), Put::Written);
        assert_eq!(store.put_new("a", b"second").unwrap(), Put::Exists);
        assert_eq!(read_whole(&store, "a").unwrap().unwrap(), b"first");
        assert_eq!(store.list().unwrap(), BTreeMap::from([("a".to_owned(), 5)]));
    }

    #[test]
    fn of_many_who_put_a_file_at_once_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path());
        // Past the look whether the file is there, which decides nothing.
        let put = |_| store.write_new(&folder.path().join("a"), b"bytes").unwrap();
        let done: Vec<Put> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|number| scope.spawn(move || put(number))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(done.iter().filter(|put| **put == Put::Written).count(), 1, "{done:?}");
        assert_eq!(store.list().unwrap().len(), 1, "nothing unfinished is left");
    }

    #[test]
    fn what_killed_writers_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path());
        store.put_new("part", b"").unwrap();
        fs::write(folder.path().join(format!("{UNFINISHED}x")), "half").unwrap();
        store.sweep().unwrap();
        assert_eq!(store.list().unwrap().into_keys().collect::<Vec<_>>(), ["part"]);
    }

    #[test]
    fn a_file_is_read_from_any_place_to_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path());
        store.put_new("a", b"0123456789").unwrap();
        let file = store.open("a").unwrap().unwrap();
        for (start, end, expected) in [(2, 5, "234"), (7, 99, "789"), (4, 4, ""), (12, 20, "")] {
            let mut text = String::new();
            file.read(start, end).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
