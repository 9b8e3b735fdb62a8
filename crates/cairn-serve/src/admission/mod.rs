//! What is let in: memory for bodies is taken before they are read, and reading them has limits.

mod body_kind;
mod body_reader;
mod drain;
mod memory;

pub use body_kind::BodyKind;
pub(crate) use body_reader::{BodyReader, SharedPermit};
pub(crate) use drain::DrainedBody;
pub(crate) use memory::MemoryPermits;
