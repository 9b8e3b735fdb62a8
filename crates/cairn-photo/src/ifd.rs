//! TIFF's image file directories (TIFF 6.0, BigTIFF), which EXIF and most raw files are made of.
//!
//! Everything is bounded: an offset outside of the bytes, a count that does not fit or a value of the wrong type is
//! `None`, never a panic and never an allocation larger than the bytes.

/// TIFF structure: its bytes, byte order and offset size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    little_endian: bool,
    big: bool,
}

/// One directory: its entries and where the next directory is.
#[derive(Debug)]
pub(crate) struct Directory<'a> {
    tiff: Tiff<'a>,
    entries: Vec<Entry<'a>>,
    /// Offset of the next directory; 0 for none.
    pub(crate) next: u64,
    /// Tags whose values are outside of the bytes, or of a type that TIFF does not know.
    pub(crate) unreadable: Vec<u16>,
    /// Whether all its entries are there.
    pub(crate) is_whole: bool,
}

/// One entry: a tag and the bytes of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) tag: u16,
    kind: u16,
    data: &'a [u8],
    little_endian: bool,
}

/// Most entries that are looked at in one directory.
const MAX_ENTRIES: u64 = 4096;

impl<'a> Tiff<'a> {
    /// TIFF, BigTIFF, or one of the magic numbers that Olympus (`IIRO`, `IIRS`, `MMOR`) and Panasonic (`IIU`) put there
    /// instead.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Tiff<'a>> {
        let little_endian = match bytes.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let tiff = Tiff { bytes, little_endian, big: false };
        match tiff.u16(2)? {
            42 | 0x4F52 | 0x5352 | 0x55 => Some(tiff),
            43 if tiff.u16(4)? == 8 => Some(Tiff { big: true, ..tiff }),
            _ => None,
        }
    }

    /// Offset of the first directory.
    pub(crate) fn first(&self) -> Option<u64> {
        if self.big { self.u64(8) } else { self.u32(4).map(u64::from) }
    }

    /// The directory at `offset`. Entries whose values are outside of the bytes are left out.
    pub(crate) fn directory(&self, offset: u64) -> Option<Directory<'a>> {
        let offset = usize::try_from(offset).ok().filter(|&offset| offset >= 8)?;
        let (count, start, entry_size) = if self.big {
            (self.u64(offset)?, offset.checked_add(8)?, 20)
        } else {
            (u64::from(self.u16(offset)?), offset.checked_add(2)?, 12)
        };
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for index in 0..count.min(MAX_ENTRIES) as usize {
            let at = start.checked_add(index * entry_size)?;
            let Some(tag) =
                at.checked_add(entry_size).filter(|&end| end <= self.bytes.len()).and(self.u16(at))
            else {
                break;
            };
            match self.entry(at) {
                Some(entry) => entries.push(entry),
                None => unreadable.push(tag),
            }
        }
        let is_whole = (entries.len() + unreadable.len()) as u64 >= count.min(MAX_ENTRIES);
        let end =
            usize::try_from(count).ok().and_then(|count| count.checked_mul(entry_size)?.checked_add(start));
        let next = end.and_then(|end| if self.big { self.u64(end) } else { self.u32(end).map(u64::from) });
        Some(Directory { tiff: *self, entries, next: next.unwrap_or(0), unreadable, is_whole })
    }

    fn entry(&self, at: usize) -> Option<Entry<'a>> {
        let (tag, kind) = (self.u16(at)?, self.u16(at + 2)?);
        let (count, value, room) = if self.big {
            (self.u64(at + 4)?, at + 12, 8)
        } else {
            (u64::from(self.u32(at + 4)?), at + 8, 4)
        };
        let length = usize::try_from(count).ok()?.checked_mul(size_of_kind(kind)?)?;
        let start = match (length <= room, self.big) {
            (true, _) => value,
            (false, true) => usize::try_from(self.u64(value)?).ok()?,
            (false, false) => self.u32(value)? as usize,
        };
        let data = self.bytes.get(start..start.checked_add(length)?)?;
        Some(Entry { tag, kind, data, little_endian: self.little_endian })
    }

    /// The bytes from `offset` on, `length` of them.
    pub(crate) fn slice(&self, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }

    /// Whether numbers begin with their lowest byte.
    pub(crate) fn is_little_endian(&self) -> bool {
        self.little_endian
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn u64(&self, at: usize) -> Option<u64> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }
}

/// Bytes of one value of a type; `None` for types that TIFF does not know.
fn size_of_kind(kind: u16) -> Option<usize> {
    match kind {
        // BYTE, ASCII, SBYTE, UNDEFINED.
        1 | 2 | 6 | 7 => Some(1),
        // SHORT, SSHORT.
        3 | 8 => Some(2),
        // LONG, SLONG, FLOAT, IFD.
        4 | 9 | 11 | 13 => Some(4),
        // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8.
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

impl<'a> Directory<'a> {
    /// The entry of a tag.
    pub(crate) fn entry(&self, tag: u16) -> Option<Entry<'a>> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }

    /// The first value of a tag, if it is an integer of any type that is not negative.
    pub(crate) fn integer(&self, tag: u16) -> Option<u64> {
        self.entry(tag)?.integers().next()?
    }

    /// The text of a tag, without what follows its first zero byte; `None` if that is blank.
    pub(crate) fn text(&self, tag: u16) -> Option<String> {
        self.entry(tag)?.text()
    }

    /// The directory that a tag points at.
    pub(crate) fn child(&self, tag: u16) -> Option<Directory<'a>> {
        self.tiff.directory(self.integer(tag)?)
    }
}

impl<'a> Entry<'a> {
    /// All values; `None` for each that is negative or no integer.
    pub(crate) fn integers(self) -> impl Iterator<Item = Option<u64>> + 'a {
        let size = size_of_kind(self.kind).unwrap_or(1);
        self.data.chunks_exact(size).map(move |value| {
            let mut bytes = [0; 8];
            if self.little_endian {
                bytes[..size].copy_from_slice(value);
            } else {
                for (to, from) in bytes.iter_mut().zip(value.iter().rev()) {
                    *to = *from;
                }
            }
            let unsigned = u64::from_le_bytes(bytes);
            match self.kind {
                1 | 3 | 4 | 7 | 13 | 16 | 18 => Some(unsigned),
                // What is positive as a signed number is the same as an unsigned one.
                6 | 8 | 9 | 17 => Some(unsigned).filter(|value| value >> (size * 8 - 1) == 0),
                _ => None,
            }
        })
    }

    /// All values of a RATIONAL or SRATIONAL; `None` for each with a denominator of zero.
    pub(crate) fn rationals(self) -> impl Iterator<Item = Option<f64>> + 'a {
        let integer = move |bytes: &[u8]| {
            let bytes: [u8; 4] = bytes.try_into().ok()?;
            let unsigned =
                if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
            Some(if self.kind == 10 { f64::from(unsigned as i32) } else { f64::from(unsigned) })
        };
        let pairs = if matches!(self.kind, 5 | 10) { self.data } else { &[] };
        pairs.chunks_exact(8).map(move |pair| {
            let (numerator, denominator) = (integer(&pair[..4])?, integer(&pair[4..])?);
            (denominator != 0.0).then(|| numerator / denominator)
        })
    }

    /// As text, without what follows the first zero byte; `None` if that is blank.
    pub(crate) fn text(self) -> Option<String> {
        let text = self.data.split(|&byte| byte == 0).next()?;
        // Nothing that is read here is longer; a hostile value of megabytes need not be copied.
        let text = String::from_utf8_lossy(&text[..text.len().min(256)]);
        Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The values as they are in the file.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.data
    }
}
