//! The threads that operations run on.

/// Runs `work` on a thread of the current rayon pool.
///
/// Every operation in it is begun by a thread that computes. Begun by another thread, it wakes the pool and waits for it, and
/// two switches between threads take as long as a small layer does.
pub fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_on_a_thread_of_the_pool_once_also_from_within() {
        assert!(rayon::current_thread_index().is_none());
        let (outer, inner) =
            in_pool(|| (rayon::current_thread_index(), in_pool(rayon::current_thread_index)));
        assert!(outer.is_some() && outer == inner);
    }
}
