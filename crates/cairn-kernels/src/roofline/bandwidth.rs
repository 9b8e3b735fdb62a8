//! Bytes that the cores read and write in a second.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// Bytes of each thread's working sets: from a part of the second-level cache to more than any cache holds.
const SIZES: [usize; 5] = [128 << 10, 512 << 10, 2 << 20, 8 << 20, 64 << 20];
/// Bytes that a thread copies in a timed run, at least.
const RUN: usize = 32 << 20;
const REPEATS: usize = 8;

/// How fast memory is copied, by the size of the working set.
#[derive(Debug, Clone, PartialEq)]
pub struct Bandwidth {
    /// Bytes of all threads' working sets together, and bytes read and written a second, the smallest set first.
    levels: Vec<(usize, f64)>,
}

impl Bandwidth {
    /// Measures it with all threads of the current rayon pool, in about a second.
    pub fn measure() -> Self {
        let threads = rayon::current_num_threads();
        let levels = SIZES.map(|size| (size * threads, bytes_per_second(size, threads))).into();
        Self { levels }
    }

    #[cfg(test)]
    pub(super) fn of_levels(levels: Vec<(usize, f64)>) -> Self {
        Self { levels }
    }

    /// Bytes a second where a computation uses `bytes` in all: those of the largest measured working set that is no larger.
    pub fn of(&self, bytes: usize) -> f64 {
        let larger = self.levels.partition_point(|(size, _)| *size <= bytes);
        self.levels[larger.saturating_sub(1)].1
    }

    /// Bytes a second where no cache helps.
    pub fn of_memory(&self) -> f64 {
        self.levels[self.levels.len() - 1].1
    }
}

/// Bytes read and written a second where each thread copies half of its working set to the other half: the best of some runs.
fn bytes_per_second(size: usize, threads: usize) -> f64 {
    let words = size / 2 / size_of::<u64>();
    let mut sets: Vec<(Vec<u64>, Vec<u64>)> =
        (0..threads).map(|_| (vec![1; words], vec![0; words])).collect();
    let copies = (RUN / size).max(1);
    let mut time = || {
        let start = Instant::now();
        sets.par_iter_mut().with_max_len(1).for_each(|(from, to)| {
            for _ in 0..copies {
                to.copy_from_slice(from);
                black_box(&mut *to);
            }
        });
        start.elapsed()
    };
    let best = (0..REPEATS).map(|_| time()).min().unwrap_or(Duration::MAX);
    (threads * copies * size) as f64 / best.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_set_has_the_bandwidth_of_the_largest_measured_one_within_it() {
        let bandwidth = Bandwidth::of_levels(vec![(100, 4.0), (1000, 2.0), (10_000, 1.0)]);
        for (bytes, expected) in [(1, 4.0), (100, 4.0), (999, 4.0), (1000, 2.0), (20_000, 1.0)] {
            assert_eq!(bandwidth.of(bytes), expected, "{bytes}");
        }
        assert_eq!(bandwidth.of_memory(), 1.0);
    }

    #[test]
    fn every_level_of_this_machine_has_a_bandwidth() {
        let bandwidth = Bandwidth::measure();
        assert_eq!(bandwidth.levels.len(), SIZES.len());
        assert!(bandwidth.levels.iter().all(|(_, rate)| rate.is_finite() && *rate > 0.0), "{bandwidth:?}");
    }
}
