//! How fast photos are worked on, and so how long those that wait will wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A photo's share in the mean is one of so many.
const MEMORY: u64 = 16;

/// The time that a worker takes for a photo: a mean in which older photos count less and less.
#[derive(Debug)]
pub(super) struct Pace {
    workers: u32,
    /// Nanoseconds a photo; zero until there was one.
    mean: AtomicU64,
}

impl Pace {
    pub(super) fn new(workers: usize) -> Self {
        Self { workers: u32::try_from(workers).unwrap_or(u32::MAX).max(1), mean: AtomicU64::new(0) }
    }

    /// A worker took this long for a photo.
    pub(super) fn observe(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        let next = |mean| Some(if mean == 0 { took } else { mean - mean / MEMORY + took / MEMORY });
        // Never `None`, so it is always written.
        let _ = self.mean.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// When the last of so many photos will be answered; zero until there was a photo to tell by.
    pub(super) fn wait(&self, photos: usize) -> Duration {
        let photos = u32::try_from(photos).unwrap_or(u32::MAX);
        Duration::from_nanos(self.mean.load(Ordering::Relaxed)).saturating_mul(photos) / self.workers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_wait_is_the_photos_time_shared_by_the_workers() {
        let pace = Pace::new(2);
        assert_eq!(pace.wait(1000), Duration::ZERO, "nothing is known before the first photo");
        pace.observe(SECOND);
        assert_eq!(pace.wait(10), 5 * SECOND);
        assert_eq!(pace.wait(0), Duration::ZERO);
        let slow = Pace::new(1);
        slow.observe(Duration::MAX);
        assert!(slow.wait(usize::MAX) > SECOND, "no overflow");
    }

    #[test]
    fn the_mean_follows_what_photos_take_and_no_single_photo_decides() {
        let pace = Pace::new(1);
        pace.observe(SECOND);
        pace.observe(17 * SECOND);
        assert!(pace.wait(1).abs_diff(2 * SECOND) < SECOND / 1000, "{:?}", pace.wait(1));
        for _ in 0..200 {
            pace.observe(SECOND / 100);
        }
        assert!(pace.wait(1).abs_diff(SECOND / 100) < SECOND / 1000, "{:?}", pace.wait(1));
    }
}
