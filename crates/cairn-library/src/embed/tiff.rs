//! TIFF's first directory, as far as keywords are in it (TIFF 6.0; XMP part 3; Exif 2.32).

use super::{EmbedError, Format, Metadata, iim_block};

const XMP: u16 = 700;
const IIM: u16 = 33_723;
const PHOTOSHOP: u16 = 34_377;
const XP_KEYWORDS: u16 = 0x9c9e;

/// TIFF, and raw files that differ in the number after the byte order alone: Olympus' `RO` and `RS`, Panasonic's 0x55.
const NUMBERS: [u16; 4] = [42, 0x4f52, 0x5352, 0x55];

/// A tag, and its value's bytes if they can be found.
type Entry<'a> = (u16, Option<&'a [u8]>);

/// A file of TIFF's layout.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn of(bytes: &'a [u8]) -> Option<Tiff<'a>> {
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
    fn entries(&self) -> Option<Vec<Entry<'a>>> {
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

pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    Tiff::of(bytes).is_some()
}

/// Whether EXIF's first directory can be read.
pub(super) fn check(exif: &[u8]) -> Result<(), EmbedError> {
    let entries = Tiff::of(exif).and_then(|tiff| tiff.entries()).ok_or(EmbedError::DamagedExif)?;
    if entries.iter().all(|(_, value)| value.is_some()) { Ok(()) } else { Err(EmbedError::DamagedExif) }
}

pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata, EmbedError> {
    const DAMAGED: EmbedError = EmbedError::Damaged("a directory that does not fit the file");
    let entries = Tiff::of(bytes).and_then(|tiff| tiff.entries()).ok_or(DAMAGED)?;
    let find = |wanted: u16| match entries.iter().find(|(tag, _)| *tag == wanted) {
        Some((_, value)) => value.map(|value| Some(value.to_vec())).ok_or(DAMAGED),
        None => Ok(None),
    };
    let iim = match (find(IIM)?, find(PHOTOSHOP)?) {
        (Some(iim), _) => Some(unswapped(iim)),
        (None, Some(resources)) => iim_block::in_photoshop_resources(&resources)?,
        (None, None) => None,
    };
    // The file is its own EXIF.
    Ok(Metadata { xmp: find(XMP)?, iim, exif: Some(bytes.to_vec()), ..Metadata::none(Format::Tiff) })
}

/// Photoshop writes the block as longs, and some programs swap their bytes as those of numbers.
fn unswapped(block: Vec<u8>) -> Vec<u8> {
    let swapped = block.first() != Some(&0x1c) && block.get(3) == Some(&0x1c);
    if swapped { block.chunks(4).flat_map(|long| long.iter().rev().copied()).collect() } else { block }
}

/// The keywords of Windows: UTF-16, separated by `;`. A block in which they cannot be found has none.
pub(super) fn xp_keywords(exif: &[u8]) -> Result<Vec<String>, EmbedError> {
    let entries = Tiff::of(exif).and_then(|tiff| tiff.entries()).unwrap_or_default();
    let Some((_, value)) = entries.iter().find(|(tag, _)| *tag == XP_KEYWORDS) else { return Ok(Vec::new()) };
    let value = value.ok_or(EmbedError::DamagedExif)?;
    let units: Vec<u16> = value.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).map_err(|_| EmbedError::DamagedExif)?;
    let keywords =
        text.trim_end_matches('\0').split(';').map(str::trim).filter(|keyword| !keyword.is_empty());
    Ok(keywords.map(str::to_owned).collect())
}
