//! Whole trainings of small networks on small drawn photos. One binary, so that the tests link once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

mod distillation;
mod fine_tuning;
mod learning;
mod metric;
mod options;
mod pooling;
mod precision;
mod repeatable;
mod resume;
mod sampled;
mod stopping;
mod tiny;
