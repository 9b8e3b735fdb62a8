//! Photos that are read ahead of their turn, within a budget of bytes.
//!
//! Nobody waits for room: a photo that turns out to have none is read in its turn. So those behind it, which hold the room,
//! can never keep it waiting.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cairn_photo::{Limits, PhotoError};
use object_store::{GetOptions, ObjectStore as _};
use tokio::task::JoinHandle;

use super::connection::Object;
use super::fault::io_error;

/// Bytes of photos that are read and wait for their turn.
const MOST_BYTES: u64 = 256 << 20;
/// Photos that are being read at once.
const MOST_UNDER_WAY: usize = 64;
/// Bytes that are taken for a photo whose size isn't known yet: as large as those before it, within these.
const LEAST_RESERVED: u64 = 256 << 10;
const MOST_RESERVED: u64 = 64 << 20;

/// How many bytes are held, and how many photos are under way.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicU64,
    under_way: AtomicUsize,
    reserved: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { used: AtomicU64::new(0), under_way: AtomicUsize::new(0), reserved: AtomicU64::new(4 << 20) }
    }
}

impl Budget {
    pub(super) fn has_room(&self) -> bool {
        let reserved = self.reserved.load(Ordering::Relaxed);
        self.under_way.load(Ordering::Relaxed) < MOST_UNDER_WAY
            && self.used.load(Ordering::Relaxed) + reserved <= MOST_BYTES
    }

    /// Room for a photo of unknown size.
    fn hold(budget: &Arc<Self>) -> Held {
        let bytes = budget.reserved.load(Ordering::Relaxed);
        budget.used.fetch_add(bytes, Ordering::Relaxed);
        Held { budget: Arc::clone(budget), bytes }
    }

    /// Remembers how large photos are: as the largest of late, slowly forgotten.
    fn saw(&self, size: u64) {
        let wanted = (size + size / 4).clamp(LEAST_RESERVED, MOST_RESERVED);
        // Two who change it at once lose one of the changes, which does no harm.
        let reserved = self.reserved.load(Ordering::Relaxed);
        let next = if wanted > reserved { wanted } else { reserved - (reserved - wanted) / 32 };
        self.reserved.store(next, Ordering::Relaxed);
    }
}

/// Room that is given back when this is dropped.
#[derive(Debug)]
struct Held {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Held {
    /// Holds as much as the photo has, now that it's known; false where there is no room for that.
    fn resize(&mut self, bytes: u64) -> bool {
        self.budget.saw(bytes);
        let used = &self.budget.used;
        let fits = |now: u64| {
            let next = (now - self.bytes) + bytes;
            (bytes <= self.bytes || next <= MOST_BYTES).then_some(next)
        };
        let done = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if done {
            self.bytes = bytes;
        }
        done
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// One of those that are being read.
struct UnderWay(Arc<Budget>);

impl UnderWay {
    fn of(budget: &Arc<Budget>) -> Self {
        budget.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(budget))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A photo that is being read.
pub(crate) struct Fetch(State);

enum State {
    Failed(io::Error),
    UnderWay { object: Object, task: Task },
}

/// What a photo's file holds, and the room that it takes; `None` where there was none.
type Read = io::Result<Option<(Vec<u8>, Option<Held>)>>;

/// Reads a photo's file, if it has room; without `held`, it needs none.
async fn read(object: &Object, mut held: Option<Held>) -> Read {
    let fault = |error| io_error(error, &object.address);
    let answer = object.store.get_opts(&object.path, GetOptions::default()).await.map_err(fault)?;
    let size = answer.meta.size;
    let max_bytes = Limits::default().max_bytes;
    if size > max_bytes {
        let path = object.address.to_string().into();
        let reason = PhotoError::TooMuchMemory { path, max_bytes }.reason();
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    if held.as_mut().is_some_and(|held| !held.resize(size)) {
        return Ok(None);
    }
    let bytes = answer.bytes().await.map_err(fault)?;
    if (bytes.len() as u64) < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((bytes.into(), held)))
}

/// Work that ends with whoever wants it.
struct Task(JoinHandle<Read>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Fetch {
    pub(super) fn failed(error: io::Error) -> Self {
        Self(State::Failed(error))
    }

    pub(super) fn begin(object: Object, budget: &Arc<Budget>) -> Self {
        // Taken here, not by the task, which may begin later: whoever asks for room next must know of it.
        let (held, under_way) = (Budget::hold(budget), UnderWay::of(budget));
        let wanted = object.clone();
        let task = object.spawn(async move {
            let _under_way = under_way;
            read(&wanted, Some(held)).await
        });
        match task {
            Ok(task) => Self(State::UnderWay { object, task: Task(task) }),
            Err(error) => Self::failed(error),
        }
    }

    /// Waits for the photo's file. Its room is free with that: from here on, whoever takes it bounds what is held.
    ///
    /// # Errors
    /// When it cannot be read; [`is_of_file`](super::is_of_file) says whether that is its own fault.
    pub(crate) fn take(self) -> io::Result<Vec<u8>> {
        let (object, mut task) = match self.0 {
            State::Failed(error) => return Err(error),
            State::UnderWay { object, task } => (object, task),
        };
        match object.wait_for(&mut task.0)?.map_err(io::Error::other)?? {
            Some((bytes, _)) => Ok(bytes),
            None => match object.wait_for(read(&object, None))?? {
                Some((bytes, _)) => Ok(bytes),
                None => Err(io::Error::other("there was no room")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_held_as_a_photo_needs_it_and_given_back_with_it() {
        let budget = Arc::new(Budget::default());
        let mut all = Vec::new();
        while budget.has_room() {
            all.push(Budget::hold(&budget));
        }
        assert_eq!(all.len(), 64, "of unknown size");
        assert!(!all[0].resize(5 << 20), "a photo that has no room is told");
        assert!(all.iter_mut().all(|held| held.resize(100 << 10)) && budget.has_room());
        drop(all);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
        let mut one = Budget::hold(&budget);
        assert!(one.resize(MOST_BYTES) && !budget.has_room());
        drop(one);
        assert!(budget.has_room());
    }

    #[test]
    fn as_much_is_taken_for_a_photo_as_the_largest_of_late_had() {
        let budget = Budget::default();
        budget.saw(12 << 20);
        assert_eq!(budget.reserved.load(Ordering::Relaxed), 15 << 20);
        (0..200).for_each(|_| budget.saw(100 << 10));
        assert!(budget.reserved.load(Ordering::Relaxed) < 1 << 20, "slowly forgotten");
    }

    #[test]
    fn of_photos_that_are_being_read_there_are_not_too_many() {
        let budget = Arc::new(Budget::default());
        (0..200).for_each(|_| budget.saw(0));
        let mut under_way: Vec<UnderWay> = (0..MOST_UNDER_WAY).map(|_| UnderWay::of(&budget)).collect();
        assert!(!budget.has_room());
        under_way.pop();
        assert!(budget.has_room());
    }
}
