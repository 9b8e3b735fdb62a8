//! How fast cairn is on this machine: steps on photos of noise, their convolutions, whole epochs over real photos, decoding.

mod decoding;
mod epochs;
mod layers;
mod steps;

pub use decoding::decoding_speed;
pub use epochs::{EpochBenchmark, EpochSpeeds};
pub use layers::{LayerBenchmark, LayerSpeed, Product};
pub use steps::Benchmark;
