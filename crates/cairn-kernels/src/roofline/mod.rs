//! What a machine can do at most, to compare kernels with.
//!
//! By the roofline model (Williams, Waterman and Patterson 2009, <https://doi.org/10.1145/1498765.1498785>) a computation
//! takes at least the longer of two times: that of its multiply-adds at the cores' peak, and that of its bytes, each read or
//! written once, at the bandwidth of the cache or memory that holds them.

mod bandwidth;
mod peak;

pub use bandwidth::Bandwidth;
pub use peak::multiply_adds_per_second;

use crate::{Element, Isa};

/// Within this factor of the memory's bandwidth, memory is what limits.
const NEAR_MEMORY: f64 = 1.5;

/// The limits of a machine, for one instruction set and number type.
#[derive(Debug, Clone, PartialEq)]
pub struct Roofline {
    /// Multiply-adds a second on registers alone, of all threads together.
    pub multiply_adds_per_second: f64,
    /// Bytes a second, by the size of what is read and written.
    pub bandwidth: Bandwidth,
}

/// What keeps a computation from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Multiply-adds.
    Compute,
    /// Reading and writing caches.
    Cache,
    /// Reading and writing memory.
    Memory,
}

impl Limit {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Cache => "cache",
            Self::Memory => "memory",
        }
    }
}

/// The least time that a computation can take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// In seconds.
    pub seconds: f64,
    /// What it is due to.
    pub limit: Limit,
}

impl Roofline {
    /// Measures the threads of the current rayon pool, in about two seconds.
    ///
    /// # Panics
    /// When the machine lacks the set.
    pub fn measure<T: Element>(isa: Isa) -> Self {
        Self { multiply_adds_per_second: multiply_adds_per_second::<T>(isa), bandwidth: Bandwidth::measure() }
    }

    /// The least time for so many multiply-adds on so many bytes.
    pub fn bound(&self, multiply_adds: usize, bytes: usize) -> Bound {
        let compute = multiply_adds as f64 / self.multiply_adds_per_second;
        let rate = self.bandwidth.of(bytes);
        let traffic = bytes as f64 / rate;
        if compute >= traffic {
            return Bound { seconds: compute, limit: Limit::Compute };
        }
        let is_memory = rate < NEAR_MEMORY * self.bandwidth.of_memory();
        Bound { seconds: traffic, limit: if is_memory { Limit::Memory } else { Limit::Cache } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_longer_of_computing_and_reading() {
        let bandwidth = Bandwidth::of_levels(vec![(1 << 20, 100e9), (64 << 20, 10e9)]);
        let roofline = Roofline { multiply_adds_per_second: 1e12, bandwidth };
        let few = 1 << 20;
        assert_eq!(roofline.bound(1_000_000_000, few), Bound { seconds: 1e-3, limit: Limit::Compute });
        let cached = roofline.bound(1000, few);
        assert_eq!(cached, Bound { seconds: few as f64 / 100e9, limit: Limit::Cache });
        let many = 100 << 20;
        assert_eq!(roofline.bound(1000, many), Bound { seconds: many as f64 / 10e9, limit: Limit::Memory });
    }

    #[test]
    fn every_set_of_this_machine_has_a_peak() {
        for isa in Isa::available() {
            let peak = multiply_adds_per_second::<f32>(isa);
            assert!(peak.is_finite() && peak > 0.0, "{}: {peak}", isa.name());
            if isa.has_bf16() {
                let peak = multiply_adds_per_second::<half::bf16>(isa);
                assert!(peak.is_finite() && peak > 0.0, "{}, bf16: {peak}", isa.name());
            }
        }
    }
}
