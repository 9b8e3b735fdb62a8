//! Memory of maps, taken up again from step to step.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// The bytes of a map, in memory that may have room for more: it is taken up again without being cleared.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    len: usize,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.len]
    }
}

/// Buffers that no map is in just now.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    free: Vec<Buffer>,
}

impl Buffers {
    /// A buffer of `len` bytes, of no particular value: the smallest that has room, or one in the place of the largest.
    pub(super) fn take(&mut self, len: usize) -> Buffer {
        let room = |buffer: &Buffer| buffer.memory.len();
        let roomy = self.free.iter().enumerate().filter(|(_, buffer)| room(buffer) >= len);
        let best = roomy.min_by_key(|(_, buffer)| room(buffer));
        let best = best.or_else(|| self.free.iter().enumerate().max_by_key(|(_, buffer)| room(buffer)));
        let at = best.map(|(at, _)| at);
        let mut buffer = at.map(|at| self.free.swap_remove(at)).unwrap_or_default();
        if buffer.memory.len() < len {
            buffer.memory = vec![0; len];
        }
        buffer.len = len;
        buffer
    }

    /// Gives a buffer back.
    pub(super) fn give(&mut self, buffer: Buffer) {
        self.free.push(buffer);
    }
}

/// [`Buffers`] for as many passes as are under way at once.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Vec<Buffers>>);

impl Shelf {
    /// Does `work` with buffers of its own, which hold the memory that an earlier pass left.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Buffers) -> R) -> R {
        // Nothing is locked while it works: a thread that waits for others may begin another pass.
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffers = kept.unwrap_or_default();
        let result = work(&mut buffers);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_buffer_with_room_is_taken_up_again() {
        let mut buffers = Buffers::default();
        let [small, large] = [10, 1000].map(|len| buffers.take(len));
        let (small_at, large_at) = (small.as_ptr(), large.as_ptr());
        buffers.give(large);
        buffers.give(small);
        let [first, second, third] = [8, 8, 8].map(|len| buffers.take(len));
        assert_eq!([first.as_ptr(), second.as_ptr()], [small_at, large_at]);
        assert_eq!(third.len(), 8);
    }
}
