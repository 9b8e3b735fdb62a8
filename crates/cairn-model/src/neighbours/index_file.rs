//! An index in a file, so that it is made once.
//!
//! | bytes | |
//! | --- | --- |
//! | 20 | [`MAGIC`] |
//! | 32 | BLAKE3 of the embeddings ([`EmbeddingTable::digest`]) |
//! | 12 | numbers of features, rows and lists, u32 each, as all that follows with the lowest byte first |
//! | 4 x lists x features | centres, f32 |
//! | 4 x (lists + 1) | where lists begin, u32 |
//! | 4 x rows | rows, list after list, u32 |
//! | 32 | BLAKE3 of all before |
//!
//! The embeddings themselves are not in it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use cairn_dataset::path_text;

use super::{EmbeddingTable, InvertedFile};

/// What the file begins with: what it is, and the version of its format.
const MAGIC: &[u8; 20] = b"cairn neighbours 01\n";
const HASH: usize = 32;
/// What comes before the centres.
const HEAD: usize = MAGIC.len() + HASH + 12;

/// Why an index cannot be kept in a file, or taken from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexFileError {
    /// The file cannot be read or written.
    #[error("{}: the index cannot be {what}", path_text(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: is no index of embeddings that this cairn knows; move it away", path_text(path))]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is an index of other embeddings.
    #[error("{}: is an index of other embeddings", path_text(path))]
    OtherEmbeddings {
        /// The file.
        path: PathBuf,
    },
    /// It is not whole.
    #[error("{}: the index is damaged", path_text(path))]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl InvertedFile {
    /// Writes the index of `table` to `path`: a temporary file in the same folder, then renamed.
    ///
    /// # Errors
    /// [`IndexFileError::Io`] when the folder cannot be written.
    pub fn save(&self, path: &Path, table: &EmbeddingTable) -> Result<(), IndexFileError> {
        let mut bytes = Vec::with_capacity(HEAD + 4 * (self.centres.len() + self.starts.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(table.digest().as_bytes());
        // Of tables that fit into memory all three are far below 2^32.
        for count in [self.features, self.rows.len(), self.lists()] {
            bytes.extend_from_slice(&(count as u32).to_le_bytes());
        }
        bytes.extend(self.centres.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.starts.iter().chain(&self.rows).flat_map(|number| number.to_le_bytes()));
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        let failed = |source| IndexFileError::Io { path: path.to_owned(), what: "written", source };
        let mut file = AtomicWriteFile::open(path).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.commit()).map_err(failed)
    }

    /// The index of `table` that was [saved](Self::save) at `path`; `None` where there is no file.
    ///
    /// # Errors
    /// When the file cannot be read, is none of these, is damaged, or is of other embeddings.
    pub fn open(path: &Path, table: &EmbeddingTable) -> Result<Option<Self>, IndexFileError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IndexFileError::Io { path: path.to_owned(), what: "read", source }),
        };
        if !bytes.starts_with(MAGIC) {
            return Err(IndexFileError::Foreign { path: path.to_owned() });
        }
        let damaged = || IndexFileError::Damaged { path: path.to_owned() };
        let (content, hash) = bytes.split_last_chunk::<HASH>().ok_or_else(damaged)?;
        if content.len() < HEAD || blake3::hash(content) != *hash {
            return Err(damaged());
        }
        if content[MAGIC.len()..][..HASH] != *table.digest().as_bytes() {
            return Err(IndexFileError::OtherEmbeddings { path: path.to_owned() });
        }
        Self::parse(&content[MAGIC.len() + HASH..], table).map(Some).ok_or_else(damaged)
    }

    /// What follows the digest; `None` of what makes no sense.
    fn parse(bytes: &[u8], table: &EmbeddingTable) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let ([features, rows, lists], words) = words.split_first_chunk::<3>()?;
        let [features, rows, lists] = [features, rows, lists].map(|word| u32::from_le_bytes(*word) as usize);
        if (features, rows) != (table.features(), table.len()) || lists > rows {
            return None;
        }
        let (centres, words) = words.split_at_checked(lists.checked_mul(features)?)?;
        let (starts, rows) = words.split_at_checked(lists + 1)?;
        let numbers =
            |words: &[[u8; 4]]| -> Vec<u32> { words.iter().map(|word| u32::from_le_bytes(*word)).collect() };
        let index = Self {
            features,
            centres: centres.iter().map(|word| f32::from_le_bytes(*word)).collect(),
            starts: numbers(starts),
            rows: numbers(rows),
        };
        let in_order = index.starts.is_sorted() && index.starts[0] == 0;
        let whole = index.starts[lists] as usize == table.len() && index.rows.len() == table.len();
        let known = index.rows.iter().all(|&row| (row as usize) < table.len());
        (in_order && whole && known).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::made_up::clustered;

    #[test]
    fn an_index_read_back_is_the_one_that_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.index");
        let table = clustered(600, 20, 24, 1);
        assert_eq!(InvertedFile::open(&path, &table).unwrap(), None);
        let index = InvertedFile::of(&table);
        index.save(&path, &table).unwrap();
        assert_eq!(InvertedFile::open(&path, &table).unwrap(), Some(index));
    }

    #[test]
    fn an_index_of_other_embeddings_is_refused_and_so_is_a_damaged_one_and_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.index");
        let table = clustered(600, 20, 24, 1);
        InvertedFile::of(&table).save(&path, &table).unwrap();
        for other in [clustered(600, 20, 24, 2), clustered(601, 20, 24, 1), clustered(600, 20, 25, 1)] {
            let refused = InvertedFile::open(&path, &other);
            assert!(matches!(refused, Err(IndexFileError::OtherEmbeddings { .. })), "{refused:?}");
        }
        let whole = fs::read(&path).unwrap();
        for place in [MAGIC.len(), MAGIC.len() + HASH, HEAD + 9, whole.len() - 50, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            let refused = InvertedFile::open(&path, &table);
            assert!(matches!(refused, Err(IndexFileError::Damaged { .. })), "{place}: {refused:?}");
        }
        for length in [MAGIC.len(), HEAD - 1, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let refused = InvertedFile::open(&path, &table);
            assert!(matches!(refused, Err(IndexFileError::Damaged { .. })), "{length}: {refused:?}");
        }
        for foreign in [&b""[..], b"photo,label\n"] {
            fs::write(&path, foreign).unwrap();
            let refused = InvertedFile::open(&path, &table);
            assert!(matches!(refused, Err(IndexFileError::Foreign { .. })), "{refused:?}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused_whatever_the_checksum_says() {
        let table = clustered(60, 4, 8, 1);
        let index = InvertedFile::of(&table);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.index");
        let refused = |spoil: &dyn Fn(&mut InvertedFile)| {
            let mut index = index.clone();
            spoil(&mut index);
            index.save(&path, &table).unwrap();
            matches!(InvertedFile::open(&path, &table), Err(IndexFileError::Damaged { .. }))
        };
        assert!(!refused(&|_| {}));
        assert!(refused(&|index| index.rows[5] = 60));
        assert!(refused(&|index| index.starts[0] = 1));
        assert!(refused(&|index| index.starts[1] = 61));
        assert!(refused(&|index| *index.starts.last_mut().unwrap() = 59));
        assert!(refused(&|index| index.features = 7));
        assert!(refused(&|index| index.rows.truncate(59)));
    }
}
