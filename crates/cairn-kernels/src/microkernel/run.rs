//! A run of words that a product sums over.

/// A stretch of `depth` words that lies together in each row, and its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Run {
    /// Offset from each row's base, in words.
    pub(crate) x: usize,
    /// Offset of the first weight, in words.
    pub(crate) w: usize,
}
