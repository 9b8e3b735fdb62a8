//! Photos kept as they were decoded, so that from the second epoch on nothing is decoded.
//!
//! What is kept is the photo at its [`ReadSize`]: upright, 8-bit RGB, resized to what the view's geometric steps begin
//! with. Everything by chance comes after that, so batches are the same bit for bit with and without a cache.

mod error;
mod packed_file;
mod ram;
mod record;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_photo::{Limits, Photo, ReadSize};
use serde::{Deserialize, Serialize};

use crate::{BadPhoto, Example, PhotoPlace};
pub use error::CacheError;
use packed_file::PackedFile;
use ram::Ram;
use source::Source;

/// Where decoded photos are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheMode {
    /// In memory, as many as the budget holds.
    Ram,
    /// In one file in the cache folder, which later runs find again. The operating system keeps in memory what it has
    /// room for.
    Disk,
    /// Nowhere: every photo is read each time.
    Off,
    /// In memory if all of them fit, else on disk if there is a cache folder, else in memory as many as fit.
    #[default]
    Auto,
}

/// How much may be kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheOptions {
    /// Where.
    pub mode: CacheMode,
    /// Most bytes of memory.
    pub ram_bytes: u64,
    /// Most bytes of the file in the folder.
    pub disk_bytes: u64,
    /// The folder for the file; made when it is needed. [`cache_folder`] has a proposal.
    pub folder: Option<PathBuf>,
}

impl Default for CacheOptions {
    /// By itself, 2 GiB of memory, no folder; 64 GiB on disk once there is one.
    fn default() -> CacheOptions {
        CacheOptions { mode: CacheMode::Auto, ram_bytes: 2 << 30, disk_bytes: 64 << 30, folder: None }
    }
}

/// What a cache holds and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    /// Photos that are kept.
    pub photos: usize,
    /// Bytes that they take, in memory or on disk.
    pub bytes: u64,
    /// How often a kept photo was asked for.
    pub hits: u64,
    /// How often a photo had to be decoded.
    pub misses: u64,
}

/// Decoded photos, by path and size. Shared by the loaders of a training, so that there is one budget.
///
/// A photo whose file has changed since (other length or time of modification) is decoded again. Nothing is thrown out
/// to make room: every epoch asks for every photo once, so whatever replaced a photo would not be asked for any sooner.
#[derive(Debug)]
pub struct PhotoCache {
    store: Store,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug)]
enum Store {
    Off,
    Ram(Ram),
    Disk(PackedFile),
}

impl PhotoCache {
    /// A cache that keeps nothing.
    pub fn off() -> PhotoCache {
        PhotoCache::of(Store::Off)
    }

    /// Opens a cache for photos that will take about `demand` bytes (see [`PhotoCache::demand`]), which decides
    /// [`CacheMode::Auto`].
    ///
    /// # Errors
    /// Where a cache on disk is asked for and its file cannot be opened.
    pub fn open(options: &CacheOptions, demand: u64) -> Result<PhotoCache, CacheError> {
        let ram = || Store::Ram(Ram::new(options.ram_bytes));
        let disk = |folder: &Path| PackedFile::open(folder, options.disk_bytes).map(Store::Disk);
        let store = match (options.mode, &options.folder) {
            (CacheMode::Off, _) => Store::Off,
            (CacheMode::Ram, _) => ram(),
            (CacheMode::Disk, None) => return Err(CacheError::NoFolder),
            (CacheMode::Disk, Some(folder)) => disk(folder)?,
            (CacheMode::Auto, Some(folder)) if demand > options.ram_bytes => disk(folder)?,
            (CacheMode::Auto, _) => ram(),
        };
        Ok(PhotoCache::of(store))
    }

    fn of(store: Store) -> PhotoCache {
        PhotoCache { store, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// About how many bytes these photos take at this size, without reading them: as if all were 4 : 3, or, at full size,
    /// compressed to a tenth.
    pub fn demand(examples: &[Example], size: ReadSize) -> u64 {
        let bytes = |width: u32, height: u32| u64::from(width) * u64::from(height) * 3;
        match size {
            ReadSize::Full => examples.iter().map(|example| 10 * example.bytes()).sum(),
            ReadSize::ShortSide(side) => examples.len() as u64 * (bytes(side, side) * 4 / 3),
            ReadSize::Exactly { width, height } => examples.len() as u64 * bytes(width, height),
        }
    }

    /// Where the photos are kept: [`CacheMode::Auto`] has become one of the others.
    pub fn mode(&self) -> CacheMode {
        match self.store {
            Store::Off => CacheMode::Off,
            Store::Ram(_) => CacheMode::Ram,
            Store::Disk(_) => CacheMode::Disk,
        }
    }

    /// What it holds, and how often that was of use.
    pub fn statistics(&self) -> CacheStatistics {
        let (photos, bytes) = match &self.store {
            Store::Off => (0, 0),
            Store::Ram(ram) => ram.holds(),
            Store::Disk(file) => file.holds(),
        };
        let [hits, misses] = [&self.hits, &self.misses].map(|count| count.load(Ordering::Relaxed));
        CacheStatistics { photos, bytes, hits, misses }
    }

    /// Why the file takes no more photos, if it does not: a full disk, another training that writes to it. What it holds
    /// stays of use, and the run goes on.
    pub fn trouble(&self) -> Option<String> {
        match &self.store {
            Store::Disk(file) => file.trouble(),
            Store::Off | Store::Ram(_) => None,
        }
    }

    /// The photo at `place` at this size: kept, or read from its file and then kept.
    ///
    /// # Errors
    /// Where the photo cannot be read; that is tried again each time.
    pub fn read(&self, place: &PhotoPlace, size: ReadSize) -> Result<Arc<Photo>, BadPhoto> {
        let source = match self.store {
            Store::Off => None,
            // A file that is not there will be reported by who opens it.
            Store::Ram(_) | Store::Disk(_) => Source::of(place, size),
        };
        let kept = source.as_ref().and_then(|source| match &self.store {
            Store::Off => None,
            Store::Ram(ram) => ram.get(source),
            Store::Disk(file) => file.get(source),
        });
        if let Some(photo) = kept {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(photo);
        }
        let photo = BadPhoto::guard(place, || place.open(size, &Limits::default()))?;
        let photo = Arc::new(photo);
        self.misses.fetch_add(1, Ordering::Relaxed);
        if let Some(source) = source {
            match &self.store {
                Store::Off => {}
                Store::Ram(ram) => ram.put(source, &photo),
                Store::Disk(file) => file.put(source, &photo),
            }
        }
        Ok(photo)
    }
}

/// A folder for the cache of the data set in `root`: its own within [`user_cache_folder`]. `None` where the system names no
/// such folder.
pub fn cache_folder(root: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    Some(user_cache_folder()?.join(&name[..16]))
}

/// `cairn` in the user's cache folder (`XDG_CACHE_HOME`, else `.cache` in the home folder, or `LOCALAPPDATA` on Windows).
/// `None` where the system names no such folder.
pub fn user_cache_folder() -> Option<PathBuf> {
    let named =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || named("HOME").map(|home| home.join(".cache"));
    let caches = named("XDG_CACHE_HOME").or_else(home).or_else(|| named("LOCALAPPDATA"))?;
    Some(caches.join("cairn"))
}
