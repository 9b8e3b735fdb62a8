//! One limit on the memory that all pickles of a file may take.

use super::error::PthProblem;

/// What every file may take, in bytes: a network of a thousand tensors, its optimiser and its logs take a few million.
const BASE: usize = 64 << 20;

/// What a file's pickles may still take.
///
/// An instruction of a few bytes can make a value, an entry of the memo and a list, so that memory is counted, not the
/// pickle's length. Counts are of what the values occupy, rounded up for the room that growing vectors keep.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    limit: u64,
}

impl Budget {
    /// For a file of this length: 64 MiB, and as much as the file is long.
    pub(super) fn for_file(len: u64) -> Self {
        let limit = BASE.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        Self { left: limit, limit: limit as u64 }
    }

    /// Takes `bytes` from what is left.
    ///
    /// # Errors
    /// [`PthProblem::TooLarge`] when that is not enough.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), PthProblem> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(PthProblem::TooLarge { limit: self.limit }),
        }
    }
}
