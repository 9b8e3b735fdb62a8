//! A run of words that a product sums over.

/// `depth` successive words of each row, and their weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Run {
    /// Offset from each row's base, in words.
    pub(crate) x: usize,
    /// Offset of the first weight, in words.
    pub(crate) w: usize,
}
