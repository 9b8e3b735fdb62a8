//! The page in a browser, as people use it: with Chromium, where there is one.

// Tests say on standard output why they skip.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod axe;
mod in_the_browser;
mod npm;
mod page;
#[cfg(feature = "review")]
mod review;
#[cfg(feature = "review")]
#[path = "../support/reviewed_library.rs"]
mod reviewed_library;
#[path = "../support/mod.rs"]
mod support;
mod webdriver;
