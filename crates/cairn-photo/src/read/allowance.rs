//! What the photo that is being read may take: memory of the common budget, and time until its deadline.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::decode_error::DecodeError;
use super::memory_budget::Reservation;
use super::{Limits, MemoryBudget};

/// What the photo that is being read may take.
///
/// A decoder calls [`Allowance::reserve`] once it knows the photo's size and before it decodes, and
/// [`Allowance::check_time`] now and then while it works; one that reads its file through
/// [`Watched`](super::watched::Watched) need not do the latter.
pub(super) struct Allowance<'a> {
    limits: &'a Limits,
    budget: &'a MemoryBudget,
    /// Bytes of the file, which are in memory all the time.
    file: u64,
    reservation: RefCell<Option<Reservation<'a>>>,
    deadline: Cell<Option<Deadline>>,
}

#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    allowed: Duration,
}

impl<'a> Allowance<'a> {
    /// For a file of this length in bytes.
    pub(super) fn new(limits: &'a Limits, budget: &'a MemoryBudget, file: u64) -> Allowance<'a> {
        Allowance { limits, budget, file, reservation: RefCell::new(None), deadline: Cell::new(None) }
    }

    /// The limits of a single photo.
    pub(super) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Waits until there is memory to decode a photo of `width` x `height` pixels, which takes `bytes` besides its file;
    /// from then on the time counts. What was reserved before is given back first, so a decoder that finds another
    /// picture within the file may reserve for that one.
    ///
    /// # Errors
    /// More pixels than the limit, or more bytes than the whole budget.
    pub(super) fn reserve(&self, width: u32, height: u32, bytes: u64) -> Result<(), DecodeError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.limits.max_pixels {
            return Err(DecodeError::TooLarge { width, height });
        }
        *self.reservation.borrow_mut() = None;
        let needed = self.file.saturating_add(bytes);
        let Some(reservation) = self.budget.reserve(needed) else {
            return Err(DecodeError::MoreThanBudget { needed, budget: self.budget.total() });
        };
        *self.reservation.borrow_mut() = Some(reservation);
        let allowed = self.limits.time_for(pixels);
        if self.deadline.get().is_none() {
            self.deadline.set(Some(Deadline { at: Instant::now() + allowed, allowed }));
        }
        Ok(())
    }

    /// # Errors
    /// Once the deadline has passed.
    pub(super) fn check_time(&self) -> Result<(), DecodeError> {
        match self.deadline.get() {
            Some(Deadline { at, allowed }) if Instant::now() > at => Err(DecodeError::TimedOut { allowed }),
            _ => Ok(()),
        }
    }
}
