//! Who is served.

mod hosts;
mod keys;

pub(crate) use hosts::{check_host, check_origin};
pub use keys::Key;
pub(crate) use keys::check_key;
