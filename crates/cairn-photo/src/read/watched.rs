//! A file's bytes that are watched while a decoder reads them.

use std::cell::Cell;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};

use super::allowance::Allowance;

/// Bytes that a reader is shown at once, so that it comes back to have the time checked.
const PIECE: usize = 16 << 10;
/// Reads of the file between two looks at the clock, which take longer than a short read.
const READS_BETWEEN_CHECKS: u32 = 64;

/// A file's bytes, which take note when somebody wants more of them than there are (how decoders say so differs from one
/// to the next), and which end when the photo's time is over.
pub(super) struct Watched<'a, 'budget> {
    bytes: Cursor<&'a [u8]>,
    ran_out: &'a Cell<bool>,
    allowance: &'a Allowance<'budget>,
    reads: u32,
    unchecked_bytes: usize,
}

impl<'a, 'budget> Watched<'a, 'budget> {
    pub(super) fn new(
        bytes: &'a [u8],
        ran_out: &'a Cell<bool>,
        allowance: &'a Allowance<'budget>,
    ) -> Watched<'a, 'budget> {
        Watched { bytes: Cursor::new(bytes), ran_out, allowance, reads: 0, unchecked_bytes: 0 }
    }

    /// Counts a read of this many bytes, and checks the clock from time to time.
    fn check_time(&mut self, bytes: usize) -> std::io::Result<()> {
        self.reads += 1;
        self.unchecked_bytes += bytes;
        if self.reads >= READS_BETWEEN_CHECKS || self.unchecked_bytes >= PIECE {
            (self.reads, self.unchecked_bytes) = (0, 0);
            self.allowance.check_time().map_err(|_| std::io::ErrorKind::TimedOut)?;
        }
        Ok(())
    }
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.ran_out.set(true);
        }
        self.check_time(count)?;
        Ok(count)
    }
}

impl BufRead for Watched<'_, '_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.check_time(0)?;
        let available = self.bytes.fill_buf()?;
        if available.is_empty() {
            self.ran_out.set(true);
        }
        Ok(&available[..available.len().min(PIECE)])
    }

    fn consume(&mut self, amount: usize) {
        self.unchecked_bytes += amount;
        self.bytes.consume(amount);
    }
}

impl Seek for Watched<'_, '_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(position)
    }
}
