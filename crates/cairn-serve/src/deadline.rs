//! The time that a photo has until its answer, and what its client is told once it is over.

use std::time::{Duration, Instant};

use crate::error::ApiError;

/// When to come again after a photo's time was over.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// The time of one photo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    accepted: Instant,
    patience: Duration,
}

impl Deadline {
    /// For a photo that was accepted at this time, and whose answer is waited for so long.
    pub(crate) fn new(accepted: Instant, patience: Duration) -> Self {
        Self { accepted, patience }
    }

    /// The end of its time.
    pub(crate) fn end(&self) -> Instant {
        self.accepted + self.patience
    }

    /// Why there is no answer at the end. A photo that waited longer for a worker, which took it at `begun`, than it was
    /// worked on, is told to come again: other photos took its time. One that took the time by itself would take it again.
    pub(crate) fn missed(&self, begun: Option<Instant>) -> ApiError {
        let seconds = self.patience.as_secs_f64();
        let waited = begun.map_or(self.patience, |begun| begun.saturating_duration_since(self.accepted));
        if waited < self.patience / 2 {
            return ApiError::timeout(format!("the photo took longer than {seconds} s (--deadline)"));
        }
        let text =
            format!("no answer within {seconds} s (--deadline): other photos are before it; try again");
        ApiError::overloaded(text).after(COME_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    #[test]
    fn a_photo_that_waited_is_told_of_the_load_and_one_that_was_worked_on_of_itself() {
        let accepted = Instant::now();
        let deadline = Deadline::new(accepted, Duration::from_secs(30));
        assert_eq!(deadline.end(), accepted + Duration::from_secs(30));
        let missed = |begun: Option<u64>| deadline.missed(begun.map(|s| accepted + Duration::from_secs(s)));
        for waited in [None, Some(15), Some(29), Some(31)] {
            let error = missed(waited);
            assert_eq!(error.error_type, ErrorType::Overloaded, "{waited:?}");
            assert_eq!(error.retry_after, Some(COME_AGAIN));
        }
        for waited in [0, 14] {
            assert_eq!(missed(Some(waited)).error_type, ErrorType::Timeout, "{waited}");
        }
    }
}
