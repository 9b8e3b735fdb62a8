//! Clusters of processes on this machine: a scheduler, executors, and commands that have them label.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod equality;
mod failures;
mod kills;
mod processes;
mod refusals;
mod stops;
