//! What is made of a body.

/// What is made of a body, and so how much memory it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The bytes themselves.
    Bytes,
    /// JSON with photos in base64, which are decoded beside it.
    Json,
}

impl BodyKind {
    /// The memory of a body of so many bytes.
    pub fn memory(self, bytes: u64) -> u64 {
        match self {
            Self::Bytes => bytes,
            Self::Json => bytes.saturating_add(bytes / 4 * 3).saturating_add(3),
        }
    }
}
