//! Photos kept in one file.
//!
//! The file is read by position and left to the operating system's page cache, which comes to the same as mapping it into
//! memory, without `unsafe`: a photo is copied once, in some 30 microseconds.
//!
//! It only ever grows: a photo is appended, and its head tells on the next start whether it was written to the end. So
//! there is no moment at which a crash leaves the file worse than it was, and no need to write it anew under another
//! name.

use crate::path_text::path_text;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cairn_photo::Photo;

use super::error::CacheError;
use super::record::{HEAD_BYTES, Record, half_hash};
use super::source::{Key, Source};

/// The first bytes of the file: what it is, and the version of its format.
const MAGIC: &[u8; 16] = b"cairn photos  1\n";

/// Photos in a file, within a budget.
#[derive(Debug)]
pub(super) struct PackedFile {
    path: PathBuf,
    file: File,
    index: RwLock<HashMap<Key, Arc<Place>>>,
    appending: Mutex<Appending>,
}

/// The position of a photo in the file.
#[derive(Debug)]
struct Place {
    record: Record,
    /// Of the first pixel.
    offset: u64,
    /// Whether its pixels are known to be those that were written: after a power failure a file may be as long as it
    /// was to become, with holes in it.
    verified: AtomicBool,
}

/// Where the next photo goes.
#[derive(Debug)]
struct Appending {
    end: u64,
    budget: u64,
    /// Why nothing is appended any more.
    trouble: Option<String>,
}

impl PackedFile {
    /// Opens the file in `folder`, or makes both.
    pub(super) fn open(folder: &Path, budget: u64) -> Result<PackedFile, CacheError> {
        let path = folder.join("photos.cache");
        let io = |source| CacheError::Io { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        // Two that append would write over each other. The lock goes with the file handle.
        let trouble = match file.try_lock() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => Some("another run is filling this cache".to_owned()),
            Err(TryLockError::Error(error)) => Some(format!("the file cannot be locked ({error})")),
        };
        let trouble = trouble.map(|reason| format!("{}: {reason}", path_text(&path)));
        let mut contents = Contents::read(&file).map_err(io)?;
        if trouble.is_none() && (contents.end == 0 || contents.mostly_superseded()) {
            file.set_len(0).map_err(io)?;
            write_at(&file, MAGIC, 0).map_err(io)?;
            contents = Contents { end: MAGIC.len() as u64, ..Contents::default() };
        }
        Ok(PackedFile {
            path,
            file,
            index: RwLock::new(contents.index),
            appending: Mutex::new(Appending { end: contents.end, budget, trouble }),
        })
    }

    pub(super) fn get(&self, source: &Source) -> Option<Arc<Photo>> {
        let place = {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(index.get(&source.key)?)
        };
        if place.record.source.stamp != source.stamp {
            return None;
        }
        let mut pixels = vec![0; usize::try_from(place.record.pixel_bytes()).ok()?];
        read_at(&self.file, &mut pixels, place.offset).ok()?;
        if !place.verified.load(Ordering::Relaxed) {
            if half_hash(&pixels) != place.record.pixels_hash {
                return None;
            }
            place.verified.store(true, Ordering::Relaxed);
        }
        Photo::from_pixels(place.record.width, place.record.height, pixels).map(Arc::new)
    }

    /// Appends the photo if there is room, in place of an older state of it.
    pub(super) fn put(&self, source: Source, photo: &Photo) {
        let record = Record {
            source,
            width: photo.width(),
            height: photo.height(),
            pixels_hash: half_hash(photo.pixels()),
        };
        let head = record.to_bytes();
        let mut appending = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = appending.end + head.len() as u64;
        let end = offset + record.pixel_bytes();
        if appending.trouble.is_some() || end > appending.budget {
            return;
        }
        // The head last: it vouches for the pixels.
        let written = write_at(&self.file, photo.pixels(), offset)
            .and_then(|()| write_at(&self.file, &head, appending.end));
        if let Err(error) = written {
            appending.trouble = Some(format!("{}: {error}", path_text(&self.path)));
            return;
        }
        appending.end = end;
        let key = record.source.key.clone();
        let place = Place { record, offset, verified: AtomicBool::new(true) };
        self.index.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::new(place));
    }

    /// How many photos, and how many bytes the file has.
    pub(super) fn holds(&self) -> (usize, u64) {
        let photos = self.index.read().unwrap_or_else(PoisonError::into_inner).len();
        (photos, self.appending.lock().unwrap_or_else(PoisonError::into_inner).end)
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.appending.lock().unwrap_or_else(PoisonError::into_inner).trouble.clone()
    }
}

/// The content of a file.
#[derive(Default)]
struct Contents {
    index: HashMap<Key, Arc<Place>>,
    /// Where the last whole photo ends; zero if this is no file of ours, or of another version.
    end: u64,
    /// Bytes of photos that stand in it again further on.
    superseded: u64,
}

impl Contents {
    /// Reads the heads, from one to the next, up to the end of the file or the first that is not whole.
    fn read(file: &File) -> io::Result<Contents> {
        let length = file.metadata()?.len();
        let mut contents = Contents::default();
        let mut magic = [0; MAGIC.len()];
        if length < magic.len() as u64 {
            return Ok(contents);
        }
        read_at(file, &mut magic, 0)?;
        if magic != *MAGIC {
            return Ok(contents);
        }
        contents.end = magic.len() as u64;
        while let Some((record, offset)) = record_at(file, contents.end, length)? {
            contents.end = offset + record.pixel_bytes();
            let key = record.source.key.clone();
            let place = Place { record, offset, verified: AtomicBool::new(false) };
            if let Some(older) = contents.index.insert(key, Arc::new(place)) {
                contents.superseded += older.record.pixel_bytes();
            }
        }
        Ok(contents)
    }

    fn mostly_superseded(&self) -> bool {
        self.superseded > self.end / 2
    }
}

/// The record at `offset` of a file of `length` bytes and where its pixels begin, if all of it is there.
fn record_at(file: &File, offset: u64, length: u64) -> io::Result<Option<(Record, u64)>> {
    let mut head = [0; HEAD_BYTES];
    let path_offset = offset + HEAD_BYTES as u64;
    if path_offset > length {
        return Ok(None);
    }
    read_at(file, &mut head, offset)?;
    let path_bytes = Record::path_bytes(&head);
    let pixels_offset = path_offset + path_bytes as u64;
    if pixels_offset > length {
        return Ok(None);
    }
    let mut path = vec![0; path_bytes];
    read_at(file, &mut path, path_offset)?;
    let record = Record::from_bytes(&head, path);
    Ok(record
        .filter(|record| pixels_offset + record.pixel_bytes() <= length)
        .map(|record| (record, pixels_offset)))
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}
