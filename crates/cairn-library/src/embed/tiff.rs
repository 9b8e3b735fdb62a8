//! Keywords in TIFF and in EXIF (XMP part 3; Exif 2.32).

use super::tiff_directory::Tiff;
use super::{EmbedError, Format, Metadata, iim_block};

const XMP: u16 = 700;
const IIM: u16 = 33_723;
const PHOTOSHOP: u16 = 34_377;
const XP_KEYWORDS: u16 = 0x9c9e;

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
