//! Memory of maps, taken up again from step to step.
//!
//! A training step allocates the same large maps as the one before. The system's allocator would hand such stretches back and
//! take them anew, and every page of theirs would be cleared once more; so they are kept here. What is kept and what is in use
//! never come to more than an eighth above the most that was ever in use at once.

use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

use crate::aligned::{AlignedWords, Number, Word};

/// Below this, the allocator is as good.
const SMALLEST_KEPT: usize = 16 * 1024;

static KEPT: Mutex<Kept> = Mutex::new(Kept { free: Vec::new(), free_words: 0, in_use: 0, most_in_use: 0 });

/// The free blocks, oldest first, and what there is of memory in all, in words.
#[derive(Debug)]
struct Kept {
    free: Vec<AlignedWords>,
    free_words: usize,
    in_use: usize,
    most_in_use: usize,
}

impl Kept {
    fn lock() -> MutexGuard<'static, Self> {
        // Nothing in here panics half-way.
        KEPT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The smallest free block that fits without wasting more than a quarter; or any that fits, where a new one would only
    /// make others be let go of: evaluation goes through maps of many sizes, and holds few of them at once.
    fn take(&mut self, words: usize) -> Option<AlignedWords> {
        let largest =
            if self.free_words + self.in_use + words > self.bound() { usize::MAX } else { words + words / 4 };
        let fitting =
            self.free.iter().enumerate().filter(|(_, block)| (words..=largest).contains(&block.len()));
        let (index, _) = fitting.min_by_key(|(_, block)| block.len())?;
        let block = self.free.remove(index);
        self.free_words -= block.len();
        Some(block)
    }

    /// What may be kept and in use together.
    fn bound(&self) -> usize {
        self.most_in_use + self.most_in_use / 8
    }

    fn note_use(&mut self, words: usize) {
        self.in_use += words;
        self.most_in_use = self.most_in_use.max(self.in_use);
        self.trim();
    }

    fn give_back(&mut self, block: AlignedWords) {
        self.in_use -= block.len();
        self.free_words += block.len();
        self.free.push(block);
        self.trim();
    }

    /// Lets go of the oldest free blocks until the rest is within bounds.
    fn trim(&mut self) {
        let most = self.bound();
        let mut gone = 0;
        while self.free_words + self.in_use > most && gone < self.free.len() {
            self.free_words -= self.free[gone].len();
            gone += 1;
        }
        self.free.drain(..gone);
    }
}

/// Memory for the values of one map. What it holds at first is left from before: its user writes every value.
#[derive(Debug)]
pub(crate) struct Buffer {
    words: AlignedWords,
}

impl Buffer {
    /// Room for so many values.
    pub(crate) fn of<T: Number>(count: usize) -> Self {
        let words = (count * size_of::<T>()).div_ceil(size_of::<Word>());
        if words < SMALLEST_KEPT {
            return Self { words: AlignedWords::zeroed(words) };
        }
        let block = Kept::lock().take(words);
        // Cleared without the lock: other threads need not wait for that.
        let words = block.unwrap_or_else(|| AlignedWords::zeroed(words));
        Kept::lock().note_use(words.len());
        Self { words }
    }

    pub(crate) fn as_ptr(&self) -> *const Word {
        self.words.as_ptr()
    }

    /// The first `count` values.
    pub(crate) fn as_slice<T: Number>(&self, count: usize) -> &[T] {
        self.words.as_slice(count)
    }

    /// The first `count` values, to be written.
    pub(crate) fn as_mut_slice<T: Number>(&mut self, count: usize) -> &mut [T] {
        self.words.as_mut_slice(count)
    }

    /// As the first `count` values, all written before.
    pub(crate) fn into_bytes<T: Number>(self, count: usize) -> Bytes {
        let bytes = count * size_of::<T>();
        assert!(bytes <= self.words.len() * size_of::<Word>(), "buffer too short");
        // SAFETY: the block holds so many bytes, and memory from `AlignedWords` is always initialised.
        unsafe { Bytes::from_controller(Box::new(self), bytes) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let words = std::mem::take(&mut self.words);
        if words.len() >= SMALLEST_KEPT {
            Kept::lock().give_back(words);
        }
    }
}

impl AllocationController for Buffer {
    fn alloc_align(&self) -> usize {
        // What Burn's own allocations have at most; in truth it is a cache line.
        align_of::<u128>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _policy: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes = self.words.len() * size_of::<Word>();
        // SAFETY: so many bytes are there, for as long as `self`; the caller writes initialised ones only.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), bytes) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes = self.words.len() * size_of::<Word>();
        // SAFETY: so many bytes are there, for as long as `self`.
        Ok(unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_taken_up_again_when_they_fit_and_let_go_beyond_the_most_in_use() {
        let mut kept = Kept { free: Vec::new(), free_words: 0, in_use: 0, most_in_use: 0 };
        for _ in 0..2 {
            let block = AlignedWords::zeroed(100 * 1024);
            kept.note_use(block.len());
            kept.give_back(block);
        }
        assert_eq!(kept.free.len(), 1, "two blocks that were never in use together are not both kept");
        assert!(kept.take(101 * 1024).is_none(), "too small");
        let block = kept.take(90 * 1024).expect("it fits");
        assert_eq!((block.len(), kept.free_words), (100 * 1024, 0));
    }

    #[test]
    fn half_a_block_is_wasted_only_where_a_new_one_would_be_too_many() {
        let block = || AlignedWords::zeroed(100 * 1024);
        let mut kept =
            Kept { free: vec![block()], free_words: 100 * 1024, in_use: 0, most_in_use: 400 * 1024 };
        assert!(kept.take(50 * 1024).is_none(), "there is room for a block that fits");
        kept.note_use(320 * 1024);
        assert!(kept.take(50 * 1024).is_some(), "a new block would push the free one out");
    }

    #[test]
    fn a_buffer_becomes_bytes_and_its_memory_comes_back() {
        let count = 3 * SMALLEST_KEPT;
        let mut buffer = Buffer::of::<f32>(count);
        let values = buffer.as_mut_slice::<f32>(count);
        values.fill(1.5);
        let address = values.as_ptr() as usize;
        let bytes = buffer.into_bytes::<f32>(count);
        assert_eq!(bytes.len(), 4 * count);
        assert!(bytes.chunks_exact(4).all(|value| value == 1.5_f32.to_ne_bytes()));
        let copy = bytes.clone();
        assert_ne!(copy.as_ptr() as usize, address);
        drop(bytes);
        assert_eq!(copy[..4], 1.5_f32.to_ne_bytes(), "a clone is a copy of its own");
    }
}
