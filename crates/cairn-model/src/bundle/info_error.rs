//! What is wrong with a description.

/// A value of a description outside of its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct InfoError {
    /// The value's place in the description, such as `preprocess.framing.crop`.
    pub field: String,
    /// The value, or what is wrong with it.
    pub found: String,
    /// What it may be.
    pub expected: String,
}
