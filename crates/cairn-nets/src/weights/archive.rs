//! The zip archives that PyTorch has written since 1.6, and TorchScript always: one folder with the pickle `data.pkl`
//! and each storage as a file of its own under `data/`.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;

use super::error::PthProblem;
use super::pickle::LONGEST_PICKLE;

/// How much of a file may be read to find its entries, in bytes. Each takes some 80, and there is one for each tensor.
const LONGEST_DIRECTORY: u64 = 8 << 20;

/// A file that gives no more bytes than a limit, until the limit is lifted.
struct Metered<R> {
    file: R,
    /// What may still be read, in bytes.
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("no list of its entries, or too long a one"))?);
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.file.seek(place)
    }
}

/// An archive of PyTorch.
pub(super) struct Archive<R> {
    zip: ZipArchive<BufReader<Metered<R>>>,
    /// The name of its folder, with the slash.
    folder: String,
    /// Its length in bytes, which no entry can exceed.
    len: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive of `len` bytes and looks for what every one has.
    ///
    /// # Errors
    /// When it is no archive, none of PyTorch, or big-endian, or when its entries share bytes: such an archive unpacks to
    /// many times its length.
    pub(super) fn open(file: R, len: u64) -> Result<Self, PthProblem> {
        // Said to begin with the file: looking for where it begins, zip 9.8 refuses some whole archives of PyTorch.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let left = Rc::new(Cell::new(LONGEST_DIRECTORY));
        let metered = Metered { file, left: Rc::clone(&left) };
        let mut zip = ZipArchive::with_config(config, BufReader::new(metered))?;
        left.set(u64::MAX);
        if zip.has_overlapping_files()? {
            return Err(PthProblem::Archive(ZipError::InvalidArchive("entries overlap".into())));
        }
        let names = zip.file_names().flatten();
        let folders = names.filter_map(|name| Some(name.strip_suffix("/data.pkl")?.to_owned() + "/"));
        let folder = folders.min_by_key(String::len).ok_or(PthProblem::NotPytorch)?;
        let mut archive = Self { folder, zip, len };
        match archive.read("byteorder", 16) {
            // Archives of PyTorch before 2.1 do not say it; those were little-endian but for rare machines.
            Err(PthProblem::MissingEntry(_)) => Ok(archive),
            Ok(order) if order.trim_ascii() == b"little" => Ok(archive),
            Ok(_) => Err(PthProblem::BigEndian),
            Err(problem) => Err(problem),
        }
    }

    /// The pickle that says what the archive holds.
    ///
    /// # Errors
    /// When it is damaged or too long.
    pub(super) fn pickle(&mut self) -> Result<Vec<u8>, PthProblem> {
        self.read("data.pkl", LONGEST_PICKLE as u64)
    }

    /// The bytes of a storage.
    ///
    /// # Errors
    /// When it is not there, or damaged.
    pub(super) fn storage(&mut self, key: &str) -> Result<Vec<u8>, PthProblem> {
        self.read(&format!("data/{key}"), self.len)
    }

    /// An entry of at most `limit` bytes; its checksum is checked.
    fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, PthProblem> {
        let path = format!("{}{name}", self.folder);
        let mut entry = match self.zip.by_name(&path) {
            Err(ZipError::FileNotFound) => return Err(PthProblem::MissingEntry(path)),
            entry => entry?,
        };
        let limit = limit.min(self.len);
        // Entries are stored without compression, so that none can be longer than the file.
        if entry.size() > limit {
            return Err(PthProblem::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(entry.size() as usize);
        entry.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
