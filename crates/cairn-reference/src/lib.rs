//! For tests only: what a test needs of the machine beyond Rust and a C compiler.
//!
//! - [`need`]: the one place that says that a test skips, and that makes a skip a failure where the machine promised what
//!   the test needs (`CAIRN_REQUIRE_ALL`, `CAIRN_REQUIRE`).
//! - [`python`]: Python scripts that compute what tests compare with.
//! - [`mod@program`]: other programs, such as exiftool, Chromium and tmux.
//! - [`data`]: the folder of real photos.
//! - [`cpu_clock`]: how much a test has computed, in place of how long it took.
//!
//! ```no_run
//! use cairn_reference::{Need, data_folder, program, python_with, skip};
//!
//! # fn a_test() {
//! let Some(exiftool) = program(Need::Exiftool) else { return };
//! let Some(python) = python_with(&["torch", "numpy"]) else { return };
//! let Some(landmarks) = data_folder("landmarks") else { return };
//! // Anything else that a machine may lack:
//! if !std::path::Path::new("/proc/self/status").exists() {
//!     skip(Need::MemoryFigures, "this system does not say how much memory a process uses");
//!     return;
//! }
//! # }
//! ```

// A test says on standard output why it skips, and a script's failure is the test's.
#![allow(clippy::print_stdout)]

pub mod cpu_clock;
pub mod data;
pub mod need;
pub mod program;
pub mod python;

pub use cpu_clock::CpuClock;
pub use data::{data_folder, weights_folder};
pub use need::{Need, skip};
pub use program::program;
pub use python::{Python, python_with};
