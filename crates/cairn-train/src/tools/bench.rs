//! How fast cairn is on this machine: steps on photos of noise, their convolutions, whole epochs over real photos, decoding.

use std::time::Instant;

mod decoding;
mod epochs;
mod layers;
mod steps;

pub use decoding::decoding_speed;
pub use epochs::{EpochBenchmark, EpochSpeeds};
pub use layers::{LayerBenchmark, LayerSpeed, Product};
pub use steps::{Benchmark, Int8BenchmarkError};

/// Seconds of the best of so many runs, at least one, after a warm-up run.
fn best_seconds(repeats: usize, mut run: impl FnMut()) -> f64 {
    run();
    let seconds = (0..repeats.max(1)).map(|_| {
        let begun = Instant::now();
        run();
        begun.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}
