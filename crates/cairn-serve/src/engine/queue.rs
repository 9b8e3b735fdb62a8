//! Photos that wait for a worker.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::job::Job;

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Workers that have a photo.
    busy: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn push(&self, job: Job) {
        self.lock().waiting.push_back(job);
        self.changed.notify_one();
    }

    /// Waits for the next photo, which is the worker's until it says [`Queue::done`]; `None` once the queue is closed and
    /// empty.
    pub(super) fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.busy += 1;
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker is free again.
    pub(super) fn done(&self) {
        self.lock().busy -= 1;
    }

    /// Whether the one photo that is worked on is all there is.
    pub(super) fn is_otherwise_idle(&self) -> bool {
        let state = self.lock();
        state.busy == 1 && state.waiting.is_empty()
    }

    /// Workers end when nothing waits any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is half done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
