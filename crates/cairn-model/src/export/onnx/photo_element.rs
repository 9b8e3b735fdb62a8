//! The type of an exported model's input.

/// What the numbers of a photo tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoElement {
    /// Levels from 0 to 255, `uint8`.
    Uint8,
    /// Numbers from 0 to 1, `float32`; they count as the nearest of 256 levels.
    Float,
}
