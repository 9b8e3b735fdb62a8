//! The server as its clients see it: in process, and by its socket.

// Everything here is a test, the helpers too.
#![allow(clippy::unwrap_used)]

mod damaged_requests;
mod in_process;
mod overload;
mod reload;
#[cfg(feature = "review")]
mod review;
#[cfg(feature = "review")]
#[path = "../support/reviewed_library.rs"]
mod reviewed_library;
mod soak;
mod socket;
mod support;
