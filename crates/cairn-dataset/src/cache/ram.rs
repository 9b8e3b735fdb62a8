//! Photos kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cairn_photo::Photo;

use super::source::{Key, Source, Stamp};

/// Photos in memory, within a budget.
#[derive(Debug)]
pub(super) struct Ram {
    budget: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    photos: HashMap<Key, (Stamp, Arc<Photo>)>,
    bytes: u64,
}

impl Ram {
    pub(super) fn new(budget: u64) -> Ram {
        Ram { budget, kept: Mutex::default() }
    }

    pub(super) fn get(&self, source: &Source) -> Option<Arc<Photo>> {
        let kept = self.lock();
        let (stamp, photo) = kept.photos.get(&source.key)?;
        (*stamp == source.stamp).then(|| Arc::clone(photo))
    }

    /// Keeps the photo if there is room, in place of an older state of it.
    pub(super) fn put(&self, source: Source, photo: &Arc<Photo>) {
        let mut kept = self.lock();
        if let Some((_, old)) = kept.photos.remove(&source.key) {
            kept.bytes -= size_of(&source.key, &old);
        }
        let bytes = kept.bytes + size_of(&source.key, photo);
        if bytes <= self.budget {
            kept.bytes = bytes;
            kept.photos.insert(source.key, (source.stamp, Arc::clone(photo)));
        }
    }

    /// How many photos, and how many bytes.
    pub(super) fn holds(&self) -> (usize, u64) {
        let kept = self.lock();
        (kept.photos.len(), kept.bytes)
    }

    /// Nothing that is done under the lock can panic half way.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that a photo takes: its pixels, and about what the map and the allocator need besides.
fn size_of(key: &Key, photo: &Photo) -> u64 {
    (photo.pixels().len() + key.path.len() + 200) as u64
}
