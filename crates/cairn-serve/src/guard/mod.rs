//! Who is served.

mod keys;

pub use keys::Key;
