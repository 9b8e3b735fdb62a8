//! Memory that is used again from step to step: an arena for maps, and scratch buffers for each thread.
//!
//! A training step allocates the same large maps as the one before. The system's allocator would give such blocks back
//! and take them again, and the system would clear every page of theirs once more. So they are cut from an arena.

mod arena;
mod scratch;

pub(crate) use scratch::with_scratch;

use std::mem::MaybeUninit;

use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

use crate::aligned::{Line, Number, Word, values, values_mut};
use arena::{Arena, Block};

/// The memory of all maps.
static MAPS: Arena = Arena::new();

/// Gives memory back to the system that the kernels keep for their next use: free memory of maps, and the scratch
/// buffers of the calling thread and of the threads of the current rayon pool. Then glibc's allocator is asked to do the
/// same.
///
/// Maps, weights and models that exist stay as they are. The next layers run a little slower, since they have to ask
/// for the memory again: call this when a burst of work is over, not between photos. It waits for each thread of the
/// pool to finish the task that it is at.
pub fn trim() {
    scratch::trim();
    rayon::broadcast(|_| scratch::trim());
    MAPS.trim();
    trim_allocator();
}

/// Has the allocator give back what was freed: glibc's keeps megabytes of it.
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
fn trim_allocator() {
    // SAFETY: takes no memory that is in use; threads may allocate meanwhile.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators have other ways.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
fn trim_allocator() {}

/// The least size of a block in bytes. Below it, the system's allocator is as good.
const SMALLEST_CUT: usize = 64 << 10;

/// Memory for the values of one map. It begins with what an earlier map left there; its user writes every value.
#[derive(Debug)]
pub(crate) struct Buffer {
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    Own(Vec<Line>),
    Cut(Block),
}

impl Buffer {
    /// Room for `count` values.
    pub(crate) fn of<T: Number>(count: usize) -> Self {
        Self::cut_from::<T>(&MAPS, count)
    }

    fn cut_from<T: Number>(arena: &'static Arena, count: usize) -> Self {
        let lines = Line::for_values::<T>(count);
        let lines = if lines * size_of::<Line>() < SMALLEST_CUT {
            Lines::Own(vec![Line::ZERO; lines])
        } else {
            Lines::Cut(arena.cut(lines))
        };
        Self { lines }
    }

    fn lines(&self) -> &[Line] {
        match &self.lines {
            Lines::Own(lines) => lines,
            Lines::Cut(lines) => lines,
        }
    }

    fn lines_mut(&mut self) -> &mut [Line] {
        match &mut self.lines {
            Lines::Own(lines) => lines,
            Lines::Cut(lines) => lines,
        }
    }

    pub(crate) fn as_ptr(&self) -> *const Word {
        self.lines().as_ptr().cast()
    }

    /// The first `count` values.
    pub(crate) fn as_slice<T: Number>(&self, count: usize) -> &[T] {
        values(self.lines(), count)
    }

    /// The first `count` values, to be written.
    pub(crate) fn as_mut_slice<T: Number>(&mut self, count: usize) -> &mut [T] {
        values_mut(self.lines_mut(), count)
    }

    /// As the first `count` values, all written before.
    pub(crate) fn into_bytes<T: Number>(self, count: usize) -> Bytes {
        let bytes = count * size_of::<T>();
        assert!(bytes <= size_of_val(self.lines()), "buffer too short");
        // SAFETY: the buffer holds as many bytes, and lines are always initialised.
        unsafe { Bytes::from_controller(Box::new(self), bytes) }
    }
}

impl AllocationController for Buffer {
    fn alloc_align(&self) -> usize {
        // The most that Burn's own allocations have. The true alignment is a cache line.
        align_of::<u128>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _policy: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let lines = self.lines_mut();
        // SAFETY: the bytes of these lines, borrowed as they are; the caller writes initialised ones only.
        Ok(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), size_of_val(lines)) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let lines = self.lines();
        // SAFETY: the bytes of these lines, borrowed as they are.
        Ok(unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), size_of_val(lines)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_becomes_bytes_and_its_memory_comes_back() {
        static ARENA: Arena = Arena::new();
        let count = SMALLEST_CUT;
        let mut buffer = Buffer::cut_from::<f32>(&ARENA, count);
        let values = buffer.as_mut_slice::<f32>(count);
        values.fill(1.5);
        let address = values.as_ptr() as usize;
        let bytes = buffer.into_bytes::<f32>(count);
        assert_eq!(bytes.len(), 4 * count);
        assert!(bytes.chunks_exact(4).all(|value| value == 1.5_f32.to_ne_bytes()));
        let copy = bytes.clone();
        assert_ne!(copy.as_ptr() as usize, address);
        let other = Buffer::cut_from::<f32>(&ARENA, count);
        assert_ne!(other.as_ptr() as usize, address, "the memory is in use");
        drop(bytes);
        assert_eq!(copy[..4], 1.5_f32.to_ne_bytes(), "a clone is a copy of its own");
        let next = Buffer::cut_from::<f32>(&ARENA, count);
        assert_eq!(next.as_ptr() as usize, address, "the memory is used again");
    }
}
