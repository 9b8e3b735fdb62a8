//! Buffers of 32-bit words, aligned to cache lines.

/// What the microkernels multiply: one f32, or two neighbouring bf16.
pub(crate) type Word = u32;

const WORDS_PER_LINE: usize = 16;

/// A cache line of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Line([Word; WORDS_PER_LINE]);

impl Line {
    pub(crate) const ZERO: Self = Self([0; WORDS_PER_LINE]);

    /// A line of equal words.
    #[cfg(test)]
    pub(crate) const fn filled(word: Word) -> Self {
        Self([word; WORDS_PER_LINE])
    }

    /// How many lines hold `count` values.
    pub(crate) fn for_values<T: Number>(count: usize) -> usize {
        (count * size_of::<T>()).div_ceil(size_of::<Self>())
    }
}

/// The first `count` values of lines.
pub(crate) fn values<T: Number>(lines: &[Line], count: usize) -> &[T] {
    assert!(count * size_of::<T>() <= size_of_val(lines), "buffer too short");
    // SAFETY: the lines are initialised, aligned to 64 bytes and enough; every bit pattern is a `Number`.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), count) }
}

/// The first `count` values of lines, to be written.
pub(crate) fn values_mut<T: Number>(lines: &mut [Line], count: usize) -> &mut [T] {
    assert!(count * size_of::<T>() <= size_of_val(lines), "buffer too short");
    // SAFETY: as in `values`, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), count) }
}

/// A growing buffer of words that begins on a cache line, so that no vector load of whole lines straddles two.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlignedWords {
    lines: Vec<Line>,
}

impl AlignedWords {
    /// Makes room for at least `words` words. They keep what an earlier use left in them.
    pub(crate) fn reserve(&mut self, words: usize) {
        let lines = words.div_ceil(WORDS_PER_LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line::ZERO);
        }
    }

    pub(crate) fn as_ptr(&self) -> *const Word {
        self.lines.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut Word {
        self.lines.as_mut_ptr().cast()
    }

    /// The first `count` values of a 4-byte or 2-byte number type.
    pub(crate) fn as_slice<T: Number>(&self, count: usize) -> &[T] {
        values(&self.lines, count)
    }

    /// The first `count` values of a 4-byte or 2-byte number type, to be written.
    pub(crate) fn as_mut_slice<T: Number>(&mut self, count: usize) -> &mut [T] {
        values_mut(&mut self.lines, count)
    }
}

/// A type of numbers as which the bytes of a cache line can be read.
///
/// # Safety
/// Every bit pattern must be a value of the type, and every value initialised bytes alone: no padding. The type must
/// need no more alignment than a cache line.
pub unsafe trait Number: Copy {}
// SAFETY: 32 bits, any of which make a number; aligned to 4 bytes.
unsafe impl Number for f32 {}
// SAFETY: as `f32`.
unsafe impl Number for Word {}
// SAFETY: a transparent `u16`; aligned to 2 bytes.
unsafe impl Number for half::bf16 {}
// SAFETY: eight bits, any of which make a number; aligned to 1 byte.
unsafe impl Number for i8 {}
