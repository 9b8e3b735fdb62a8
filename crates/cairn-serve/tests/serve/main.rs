//! The server as its clients see it: in process, and by its socket.

// Everything here is a test, the helpers too.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod damaged_requests;
mod in_process;
mod openapi;
mod overload;
mod reload;
#[cfg(feature = "review")]
mod review;
#[cfg(feature = "review")]
#[path = "../support/reviewed_library.rs"]
mod reviewed_library;
// It reads the memory of the process as Linux tells it.
#[cfg(target_os = "linux")]
mod soak;
mod socket;
mod support;
