//! The numbers of a batch, in memory that comes back.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pixels as a network takes them. Dropped, their memory serves a later batch of the [`Loader`](crate::Loader): taken
/// anew from the system for every batch, each page of it would be cleared before it is written, a fifth of the time of
/// a loader that decodes nothing.
#[derive(Debug, Default)]
pub struct Pixels {
    values: Vec<f32>,
    home: Arc<SparePixels>,
}

/// Memory that batches left behind: of as many batches at most as were there at one time.
#[derive(Debug, Default)]
pub(crate) struct SparePixels(Mutex<Vec<Vec<f32>>>);

impl SparePixels {
    /// So many values, which may be left from another batch.
    pub(crate) fn take(self: &Arc<Self>, count: usize) -> Pixels {
        let mut values = self.spare().pop().unwrap_or_default();
        values.resize(count, 0.0);
        Pixels { values, home: Arc::clone(self) }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<f32>>> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pixels {
    /// Keeps the first `count` values.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.values.truncate(count);
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.home.spare().push(mem::take(&mut self.values));
    }
}

impl Deref for Pixels {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl DerefMut for Pixels {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl From<Vec<f32>> for Pixels {
    fn from(values: Vec<f32>) -> Self {
        Self { values, home: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_dropped_batch_serves_the_next_one_of_any_size() {
        let spare = Arc::new(SparePixels::default());
        let (first, second) = (spare.take(1000), spare.take(10));
        assert!(first.len() == 1000 && second.len() == 10);
        let address = first.as_ptr();
        drop(first);
        let third = spare.take(600);
        assert_eq!((third.as_ptr(), third.len()), (address, 600));
        drop((second, third));
        assert_eq!(spare.spare().len(), 2);
        assert_eq!(spare.take(2000).len(), 2000);
    }

    #[test]
    fn pixels_may_outlive_their_loader() {
        let pixels = Arc::new(SparePixels::default()).take(3);
        assert_eq!(*pixels, [0.0; 3]);
    }
}
