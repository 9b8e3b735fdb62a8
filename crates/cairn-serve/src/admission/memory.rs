//! Permits for the bytes of bodies that are in memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a permit: a semaphore counts no further than some 500 million on machines of 32 bits.
const UNIT: u64 = 1 << 10;

/// The memory that all bodies share.
#[derive(Debug, Clone)]
pub(crate) struct MemoryPermits {
    free: Arc<Semaphore>,
    total: usize,
}

/// Memory that a body may take. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct MemoryPermit(OwnedSemaphorePermit);

impl MemoryPermits {
    pub(crate) fn new(bytes: u64) -> Self {
        let total = units(bytes).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(total)), total }
    }

    /// Room for so many bytes, if there is now.
    pub(crate) fn try_take(&self, bytes: u64) -> Option<MemoryPermit> {
        let units = u32::try_from(units(bytes)).ok()?;
        Arc::clone(&self.free).try_acquire_many_owned(units).ok().map(MemoryPermit)
    }

    /// Whether so many bytes could ever fit.
    pub(crate) fn can_hold(&self, bytes: u64) -> bool {
        units(bytes) <= self.total
    }

    /// Bytes that are taken now.
    pub(crate) fn taken(&self) -> u64 {
        (self.total - self.free.available_permits()) as u64 * UNIT
    }
}

impl MemoryPermit {
    /// How much it is.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.num_permits() as u64 * UNIT
    }

    /// Both as one.
    pub(crate) fn merge(&mut self, more: MemoryPermit) {
        self.0.merge(more.0);
    }
}

fn units(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_as_long_as_there_is_some_and_comes_back() {
        let permits = MemoryPermits::new(10 << 10);
        let mut first = permits.try_take(4 << 10).unwrap();
        first.merge(permits.try_take(1).unwrap());
        assert_eq!(permits.taken(), 5 << 10, "a byte takes a whole unit");
        assert_eq!(first.bytes(), 5 << 10);
        assert!(permits.try_take(6 << 10).is_none());
        assert!(permits.can_hold(6 << 10) && !permits.can_hold(11 << 10));
        drop(first);
        assert_eq!(permits.taken(), 0);
        assert!(permits.try_take(10 << 10).is_some());
        assert!(permits.try_take(u64::MAX).is_none());
    }
}
