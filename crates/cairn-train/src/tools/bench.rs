//! How fast cairn is on this machine: steps on photos of noise, whole epochs over real photos, decoding.

mod decoding;
mod epochs;
mod steps;

pub use decoding::decoding_speed;
pub use epochs::{EpochBenchmark, EpochSpeeds};
pub use steps::Benchmark;
