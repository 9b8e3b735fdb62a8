//! TIFF's first directory: its tags and their values (TIFF 6.0).

/// TIFF, and raw files that differ in the number after the byte order alone: Olympus' `RO` and `RS`, Panasonic's 0x55.
const NUMBERS: [u16; 4] = [42, 0x4f52, 0x5352, 0x55];

/// A tag, and its value's bytes if they can be found.
pub(super) type Entry<'a> = (u16, Option<&'a [u8]>);

/// A file of TIFF's layout.
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Tiff<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Option<Tiff<'a>> {
        let is_big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let tiff = Tiff { bytes, is_big_endian };
        NUMBERS.contains(&tiff.short(2)?).then_some(tiff)
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) } as usize)
    }

    /// The entries of the first directory: tag, and its value's bytes; `None` for a value of an unknown type or outside of the
    /// file. `None` if the directory itself is.
    pub(super) fn entries(&self) -> Option<Vec<Entry<'a>>> {
        let directory = self.long(4)?;
        let count = usize::from(self.short(directory)?);
        let entry = |index: usize| {
            let at = directory.checked_add(2 + index * 12)?;
            Some((self.short(at)?, self.value(at)))
        };
        (0..count).map(entry).collect()
    }

    fn value(&self, at: usize) -> Option<&'a [u8]> {
        let size = match self.short(at + 2)? {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return None,
        };
        let length = self.long(at + 4)?.checked_mul(size)?;
        let start = if length <= 4 { at + 8 } else { self.long(at + 8)? };
        self.bytes.get(start..start.checked_add(length)?)
    }
}
