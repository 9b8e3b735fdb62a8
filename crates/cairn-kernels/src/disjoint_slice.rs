//! A slice whose parts several threads write at the same time.

use std::marker::PhantomData;
use std::ops::Range;

/// A mutable slice that threads share. Its users make sure that the parts they write do not overlap.
///
/// It serves where the part of a thread is not one stretch of memory (a panel of channels of every pixel, every second
/// pixel), which `par_chunks_mut` cannot express.
#[derive(Debug)]
pub(crate) struct DisjointSlice<'a, T> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

impl<T> Clone for DisjointSlice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for DisjointSlice<'_, T> {}

// SAFETY: it hands out parts only through `part`, whose callers promise that no two parts in use overlap.
unsafe impl<T: Send> Send for DisjointSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for DisjointSlice<'_, T> {}

impl<'a, T> DisjointSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), lifetime: PhantomData }
    }

    /// Where an element is. What is written there must be no other thread's, as of [`DisjointSlice::part`].
    #[inline(always)]
    pub(crate) fn at(self, index: usize) -> *mut T {
        assert!(index < self.len, "element outside of the slice");
        self.start.wrapping_add(index)
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// Its first element; what is done with it is bound by the rules of [`Self::part`].
    pub(crate) fn start(self) -> *mut T {
        self.start
    }

    /// A part of the slice.
    ///
    /// # Safety
    /// No two parts that overlap may be in use at the same time.
    #[inline(always)]
    pub(crate) unsafe fn part(self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "part outside of the slice");
        // SAFETY: within the slice, as just checked, and not in use elsewhere, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.end - range.start) }
    }
}
