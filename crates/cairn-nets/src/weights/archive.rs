//! The zip archives that PyTorch has written since 1.6, and TorchScript always: one folder with the pickle `data.pkl`
//! and each storage as a file of its own under `data/`.

use std::fs::File;
use std::io::{BufReader, Read};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;

use super::error::PthProblem;
use super::pickle::LONGEST_PICKLE;

/// An archive of PyTorch.
pub(super) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// The name of its folder, with the slash.
    folder: String,
    /// Its length in bytes, which no entry can exceed.
    len: u64,
}

impl Archive {
    /// Opens an archive and looks for what every one has.
    ///
    /// # Errors
    /// When it is no archive, none of PyTorch, or big-endian.
    pub(super) fn open(file: File) -> Result<Self, PthProblem> {
        let len = file.metadata()?.len();
        // Said to begin with the file: looking for where it begins, zip 9.8 refuses some whole archives of PyTorch.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(config, BufReader::new(file))?;
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
        // Entries are stored as they are, so that one which claims to be longer than the file lies.
        if entry.size() > limit {
            return Err(PthProblem::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(entry.size() as usize);
        entry.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
