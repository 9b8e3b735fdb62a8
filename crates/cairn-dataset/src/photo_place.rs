//! Where a photo is, in few bytes: data sets have millions of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_photo::{Limits, Photo, PhotoError, ReadSize};

use crate::index::slashed;

/// Where a photo is: a file, or a member of a tar file.
///
/// It takes 40 bytes, and its name beside that where that is not one of Google Landmarks' (`a/b/c/abc0123456789def.jpg`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoPlace {
    base: Arc<PhotoBase>,
    name: Name,
    /// Where its file begins in the tar file.
    start: u64,
    bytes: u64,
}

/// Where photos of a data set have their names from. Photos share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PhotoBase {
    /// A folder: the part's, or the table's.
    Folder(PathBuf),
    /// A tar file that is not compressed.
    Tar {
        file: PathBuf,
        /// Whether the file's name is a part of its photos' names: where names in several files may be the same.
        named: bool,
    },
}

/// A photo's path from its base on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// `a/b/c/ID.jpg` of an id of 16 hexadecimal digits.
    Hashed(u64),
    Path(Box<Path>),
}

impl Name {
    fn of(path: &Path) -> Self {
        let hashed = path.to_str().and_then(|text| {
            // `a/b/c/` before and `.jpg` behind.
            let id = HashedId::parse(text.get(6..22)?)?;
            (id.path() == Path::new(text)).then_some(Self::Hashed(id.0))
        });
        hashed.unwrap_or_else(|| Self::Path(path.into()))
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Hashed(id) => HashedId(*id).path(),
            Self::Path(path) => path.to_path_buf(),
        }
    }
}

/// An id of a photo of Google Landmarks: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HashedId(pub(crate) u64);

impl HashedId {
    /// The id of this text; `None` of what is no such text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }

    /// `a/b/c/ID.jpg`, by the first three digits.
    pub(crate) fn path(self) -> PathBuf {
        let id = format!("{:016x}", self.0);
        format!("{}/{}/{}/{id}.jpg", &id[..1], &id[1..2], &id[2..3]).into()
    }
}

impl PhotoPlace {
    /// The photo in the file at `path`, which is called so from `base` on. Its size is asked for; 0 where a link leads nowhere.
    pub(crate) fn in_folder(base: &Arc<PhotoBase>, path: &Path) -> Self {
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        let inner = match &**base {
            PhotoBase::Folder(folder) => path.strip_prefix(folder).unwrap_or(path),
            PhotoBase::Tar { .. } => path,
        };
        Self { base: Arc::clone(base), name: Name::of(inner), start: 0, bytes }
    }

    /// A photo whose size is known: `name` is its path from `base` on, and where it is a member of a tar file, its content
    /// begins at `start`.
    pub(crate) fn known(base: &Arc<PhotoBase>, name: &Path, start: u64, bytes: u64) -> Self {
        Self { base: Arc::clone(base), name: Name::of(name), start, bytes }
    }

    /// Where it is: the path of its file, or `TAR/MEMBER`.
    pub fn path(&self) -> PathBuf {
        match &*self.base {
            PhotoBase::Folder(folder) => folder.join(self.name.path()),
            PhotoBase::Tar { file, .. } => file.join(self.name.path()),
        }
    }

    /// Its path from the part's folder as text ([`path_text`](crate::path_text())), `/` between folders on every system:
    /// `12.Eiffel_Tower/night/3.jpg`.
    pub fn relative_path(&self) -> String {
        match &*self.base {
            PhotoBase::Folder(folder) => slashed(&self.path(), folder),
            PhotoBase::Tar { named: false, .. } => slashed(&self.name.path(), Path::new("")),
            PhotoBase::Tar { file, named: true } => slashed(&self.path(), file.parent().unwrap_or(file)),
        }
    }

    /// The size of its file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells the tar files of photos apart; `None` of a file.
    pub(crate) fn tar(&self) -> Option<usize> {
        match &*self.base {
            PhotoBase::Folder(_) => None,
            PhotoBase::Tar { .. } => Some(Arc::as_ptr(&self.base).addr()),
        }
    }

    /// The file on disk that holds it.
    pub(crate) fn file(&self) -> PathBuf {
        match &*self.base {
            PhotoBase::Folder(_) => self.path(),
            PhotoBase::Tar { file, .. } => file.clone(),
        }
    }

    /// Reads the photo, as [`Photo::open_at`] does.
    ///
    /// # Errors
    /// As of [`Photo::open_at`].
    pub fn open(&self, size: ReadSize, limits: &Limits) -> Result<Photo, PhotoError> {
        match &*self.base {
            PhotoBase::Folder(_) => Photo::open_at(self.path(), size, limits),
            PhotoBase::Tar { .. } => {
                let path = self.path();
                let content = self
                    .member(limits.max_bytes)
                    .map_err(|source| PhotoError::Io { path: path.clone(), source })?;
                Photo::decode_at(&content, path, size, limits)
            }
        }
    }

    /// The content of its file; of a member of a tar file that is larger than `most` bytes, a little more than those.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self, most: u64) -> io::Result<Vec<u8>> {
        match &*self.base {
            PhotoBase::Folder(_) => std::fs::read(self.path()),
            PhotoBase::Tar { .. } => self.member(most),
        }
    }

    /// Whether it is a member of a tar file.
    pub fn is_member(&self) -> bool {
        self.tar().is_some()
    }

    fn member(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.file())?;
        file.seek(SeekFrom::Start(self.start))?;
        // What is too large is refused by who decodes it.
        let bytes = self.bytes.min(most.saturating_add(1));
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default().min(1 << 24));
        file.take(bytes).read_to_end(&mut content)?;
        if (content.len() as u64) < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(content)
    }
}

impl From<&Path> for PhotoPlace {
    /// The photo in a file, by itself.
    fn from(path: &Path) -> Self {
        Self::in_folder(&Arc::new(PhotoBase::Folder(PathBuf::new())), path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_gives_back_the_path_that_it_was_made_of() {
        let base = Arc::new(PhotoBase::Folder("photos/train".into()));
        for (path, relative) in [
            ("photos/train/12.Tower/a b.jpg", "12.Tower/a b.jpg"),
            ("photos/train/6/e/1/6e158a47eb2ca3f6.jpg", "6/e/1/6e158a47eb2ca3f6.jpg"),
            ("photos/train/6/e/1/6e158a47eb2ca3f6.png", "6/e/1/6e158a47eb2ca3f6.png"),
            ("photos/train/6/e/2/6e158a47eb2ca3f6.jpg", "6/e/2/6e158a47eb2ca3f6.jpg"),
            ("photos/train/6/E/1/6E158A47EB2CA3F6.jpg", "6/E/1/6E158A47EB2CA3F6.jpg"),
            ("photos/train/0/0/0/0000000000000000.jpg", "0/0/0/0000000000000000.jpg"),
        ] {
            let place = PhotoPlace::in_folder(&base, Path::new(path));
            assert_eq!((place.path(), place.relative_path().as_str()), (PathBuf::from(path), relative));
        }
        let hashed = PhotoPlace::in_folder(&base, Path::new("photos/train/6/e/1/6e158a47eb2ca3f6.jpg"));
        assert!(matches!(hashed.name, Name::Hashed(0x6e15_8a47_eb2c_a3f6)));
    }

    #[test]
    fn a_member_is_called_by_its_tar_file_and_alike_members_of_two_are_told_apart() {
        let place = |named| {
            let base = Arc::new(PhotoBase::Tar { file: "set/train/00.tar".into(), named });
            PhotoPlace::known(&base, Path::new("a/1.jpg"), 512, 9)
        };
        assert_eq!(place(true).path(), Path::new("set/train/00.tar/a/1.jpg"));
        assert_eq!(place(true).relative_path(), "00.tar/a/1.jpg");
        assert_eq!(place(false).relative_path(), "a/1.jpg");
    }

    #[test]
    fn a_place_takes_forty_bytes() {
        assert_eq!(size_of::<PhotoPlace>(), 40);
    }
}
