//! How many threads compute.

use std::num::NonZeroUsize;

use clap::Args;
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

/// How many threads to use, for any verb.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Threads {
    /// Threads that compute and read photos [default: one for each core that this process may use; two threads of one core
    /// share what multiplies]
    #[arg(long, global = true, env = "CAIRN_THREADS", value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Threads {
    /// Starts them. Everything that works in parallel counts the threads of this pool.
    pub(crate) fn start(self) -> Result<(), ThreadPoolBuildError> {
        let count = match self.threads {
            Some(threads) => threads.get(),
            // rayon's own variable, which its pool reads.
            None if std::env::var_os("RAYON_NUM_THREADS").is_some() => return Ok(()),
            None => by_default(allowed(), num_cpus::get_physical()),
        };
        ThreadPoolBuilder::new().num_threads(count).build_global()
    }
}

/// The logical processors that this process may use: those of its affinity, and no more than its control group's quota.
fn allowed() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn by_default(allowed: usize, cores: usize) -> usize {
    if cores == 0 { allowed } else { allowed.min(cores) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_each_core_that_is_allowed_has_a_thread() {
        assert_eq!(by_default(16, 8), 8, "two threads a core");
        assert_eq!(by_default(2, 8), 2, "a quota of two");
        assert_eq!(by_default(4, 4), 4);
        assert_eq!(by_default(4, 0), 4, "a system that does not tell its cores");
    }
}
