//! Bytes of files in memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many bytes of files all readers together may hold. (Decoding has a budget of its own: `cairn_photo::MemoryBudget`.)
#[derive(Debug)]
pub(super) struct Budget {
    total: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes that a reader may hold, until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(total: u64) -> Budget {
        Budget { total, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until there is room. A file that is larger than the whole budget waits until it is alone.
    pub(super) fn hold(&self, bytes: u64) -> Held<'_> {
        let bytes = bytes.min(self.total);
        let mut used = self.lock();
        while *used + bytes > self.total {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += bytes;
        Held { budget: self, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // One number: a panic elsewhere leaves it whole.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        *self.budget.lock() -= self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn readers_never_hold_more_than_the_budget_and_a_larger_file_waits_until_it_is_alone() {
        let (budget, held) = (Budget::new(100), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [30, 60, 250, 40, 90, 10] {
                let (budget, held) = (&budget, &held);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let _bytes = budget.hold(bytes);
                        let now = held.fetch_add(bytes.min(100), Ordering::SeqCst) + bytes.min(100);
                        assert!(now <= 100, "{now}");
                        held.fetch_sub(bytes.min(100), Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
