//! Other services' own clients against cairn: each is told what `/v1/predict` says.
//!
//! Run with huggingface_hub 2.4.0 and google-cloud-vision 3.16.0. Where Python lacks them the tests say that they skip.
//! PhotoPrism has no client: its requests are replayed by its published schema.

// Tests say on standard output why they skip.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod cards;
mod google_vision;
mod hugging_face;
mod native;
mod photoprism;
#[path = "../support/mod.rs"]
mod support;
