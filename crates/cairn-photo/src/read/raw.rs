//! Cameras' raw files: the largest JPEG that the camera put into them, which is what it would have saved as JPEG.
//!
//! Most are TIFF (Canon CR2, Nikon NEF, Sony ARW, Adobe DNG, Pentax PEF, Samsung SRW, Olympus ORF, Panasonic RW2); Canon
//! CR3 is made of boxes as films are, Fujifilm RAF has a header of its own. Where a file's structure does not lead to a
//! large JPEG, as in Olympus's, which hide it in maker's notes, its bytes are searched.

use image::ImageFormat;
use image::metadata::Orientation;
use memchr::memmem;

use super::allowance::Allowance;
use super::{ReadSize, SizedPhoto};

use super::decode_error::DecodeError;
use crate::bmff;
use crate::embedded::{Embedded, raf_preview};
use crate::ifd::{Directory, Tiff};
use crate::orientation::orientation;

/// Whether `bytes` are a raw file.
pub(super) fn is_raw(bytes: &[u8]) -> bool {
    /// What raw files begin with that are no TIFF, or TIFF with another magic number: Fujifilm, Minolta, Sigma, Canon's
    /// old CRW, Olympus, Panasonic.
    const SIGNATURES: [&[u8]; 8] = [
        b"FUJIFILMCCD-RAW ",
        b"\0MRM",
        b"FOVb",
        b"II\x1A\0\0\0HEAPCCDR",
        b"IIRO",
        b"IIRS",
        b"MMOR",
        b"IIU\0",
    ];
    if SIGNATURES.iter().any(|signature| bytes.starts_with(signature)) || is_cr3(bytes) {
        return true;
    }
    // Canon says so behind the TIFF header.
    if bytes.get(8..10) == Some(b"CR") && Tiff::of(bytes).is_some() {
        return true;
    }
    Tiff::of(bytes).is_some_and(|tiff| {
        directories(&tiff).iter().any(|directory| {
            // The colours of a sensor's own pixels, or linear ones made of them (DNG specification, chapter 4).
            let of_sensor =
                matches!(directory.integer(tag::PHOTOMETRIC_INTERPRETATION), Some(32_803 | 34_892));
            of_sensor || directory.entry(tag::DNG_VERSION).is_some()
        })
    })
}

/// The largest JPEG in a raw file that can be read, turned as the raw file says.
pub(super) fn decode(
    bytes: &[u8],
    size: ReadSize,
    allowance: &Allowance<'_>,
) -> Result<SizedPhoto, DecodeError> {
    let of_file = orientation(&Embedded::of(bytes));
    let mut first_error = None;
    for jpeg in embedded_jpegs(bytes) {
        let turned =
            of_file.or_else(|| orientation(&Embedded::of(jpeg))).unwrap_or(Orientation::NoTransforms);
        match super::decode::decode(jpeg, ImageFormat::Jpeg, turned, size, allowance) {
            Ok(photo) => return Ok(photo),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| {
        DecodeError::Unsupported("the camera put no JPEG into it; develop it and export it as JPEG".into())
    }))
}

/// The JPEGs in a raw file that can be a picture, the one of most pixels first.
fn embedded_jpegs(bytes: &[u8]) -> Vec<&[u8]> {
    /// A file whose structure leads to less is searched as well.
    const ENOUGH_PIXELS: u64 = 1_000_000;
    /// More are not tried: each takes time to decode.
    const MOST: usize = 4;

    let mut found = Vec::new();
    if let Some(tiff) = Tiff::of(bytes) {
        in_directories(&tiff, &mut found);
    } else if is_cr3(bytes) {
        in_cr3(bytes, &mut found);
    } else if bytes.starts_with(b"FUJIFILMCCD-RAW ") {
        found.extend(raf_preview(bytes));
    }
    let mut sized: Vec<(u64, &[u8])> =
        found.into_iter().filter_map(|jpeg| Some((pixels(jpeg)?, jpeg))).collect();
    if !sized.iter().any(|&(pixels, _)| pixels >= ENOUGH_PIXELS) {
        sized.extend(by_search(bytes));
    }
    sized.sort_by_key(|&(pixels, _)| std::cmp::Reverse(pixels));
    sized.dedup_by_key(|(_, jpeg)| jpeg.as_ptr());
    sized.into_iter().take(MOST).map(|(_, jpeg)| jpeg).collect()
}

/// TIFF tags, by the names of the specifications.
mod tag {
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC_INTERPRETATION: u16 = 262;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const SUB_IFDS: u16 = 330;
    pub(super) const JPEG_INTERCHANGE_FORMAT: u16 = 513;
    pub(super) const JPEG_INTERCHANGE_FORMAT_LENGTH: u16 = 514;
    pub(super) const EXIF_DIRECTORY: u16 = 34_665;
    pub(super) const DNG_VERSION: u16 = 50_706;
    /// Panasonic's, in the first directory.
    pub(super) const JPG_FROM_RAW: u16 = 0x2E;
}

/// All directories: those that follow the first, and those that others point at.
fn directories<'a>(tiff: &Tiff<'a>) -> Vec<Directory<'a>> {
    /// Cameras write fewer than ten.
    const MOST: usize = 64;
    let mut offsets: Vec<u64> = tiff.first().into_iter().collect();
    let mut found: Vec<Directory<'a>> = Vec::new();
    let mut next = 0;
    while let Some(&offset) = offsets.get(next).filter(|_| next < MOST) {
        next += 1;
        let Some(directory) = tiff.directory(offset) else { continue };
        let children =
            [tag::SUB_IFDS, tag::EXIF_DIRECTORY].into_iter().filter_map(|tag| directory.entry(tag));
        let children = children.flat_map(|entry| entry.integers().flatten().take(MOST));
        for child in std::iter::once(directory.next).chain(children) {
            // A directory that has been seen closes a circle.
            if offsets.len() < MOST && !offsets.contains(&child) {
                offsets.push(child);
            }
        }
        found.push(directory);
    }
    found
}

fn in_directories<'a>(tiff: &Tiff<'a>, found: &mut Vec<&'a [u8]>) {
    for directory in directories(tiff) {
        let range = |offset, length| tiff.slice(directory.integer(offset)?, directory.integer(length)?);
        found.extend(range(tag::JPEG_INTERCHANGE_FORMAT, tag::JPEG_INTERCHANGE_FORMAT_LENGTH));
        // A JPEG in one strip. (A sensor's data are compressed by a lossless kind of JPEG, which is not taken below.)
        let one_strip =
            directory.entry(tag::STRIP_OFFSETS).is_some_and(|strips| strips.integers().count() == 1);
        if one_strip && matches!(directory.integer(tag::COMPRESSION), Some(6 | 7)) {
            found.extend(range(tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS));
        }
        found.extend(directory.entry(tag::JPG_FROM_RAW).map(|entry| entry.bytes()));
    }
}

fn is_cr3(bytes: &[u8]) -> bool {
    bytes.get(4..12) == Some(b"ftypcrx ")
}

/// The first sample of each track, and the preview in a box of its own.
fn in_cr3<'a>(bytes: &'a [u8], found: &mut Vec<&'a [u8]>) {
    const PREVIEW: [u8; 16] = *b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16";
    let tracks = bmff::find(bytes, b"moov").into_iter().flat_map(bmff::boxes);
    for track in tracks.filter(|found| &found.kind == b"trak").take(16) {
        found.extend(first_sample(bytes, track.content));
    }
    // A version and a count come before the box in it; six numbers of 16 and 32 bits before the JPEG in that.
    let preview = bmff::find_uuid(bytes, &PREVIEW).and_then(|content| bmff::find(content.get(8..)?, b"PRVW"));
    found.extend(preview.and_then(|preview| preview.get(16..)));
}

/// ISO/IEC 14496-12, sections 8.7.3 and 8.7.5.
fn first_sample<'a>(bytes: &'a [u8], track: &[u8]) -> Option<&'a [u8]> {
    let path: [&[u8; 4]; 3] = [b"mdia", b"minf", b"stbl"];
    let table = path.iter().try_fold(track, |content, kind| bmff::find(content, kind))?;
    let u32_at = |content: &[u8], at: usize| Some(u32::from_be_bytes(*content.get(at..)?.first_chunk()?));
    // Version and flags; one size for all samples, or zero, their number, and the size of each.
    let sizes = bmff::find(table, b"stsz")?;
    let length = u32_at(sizes, 4).filter(|&size| size > 0).or_else(|| u32_at(sizes, 12))?;
    // Version and flags, number of offsets, offsets.
    let offset = match bmff::find(table, b"co64") {
        Some(offsets) => u64::from_be_bytes(*offsets.get(8..)?.first_chunk()?),
        None => u64::from(u32_at(bmff::find(table, b"stco")?, 8)?),
    };
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length as usize)?)
}

/// Whatever begins as a JPEG does and says its size, up to the next that does.
fn by_search(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    /// By chance alone, there is one in 16 MB.
    const MOST: usize = 1000;
    memmem::find_iter(bytes, b"\xFF\xD8\xFF").take(MOST).filter_map(|start| {
        let jpeg = &bytes[start..];
        Some((pixels(jpeg)?, jpeg))
    })
}

/// Pixels of a JPEG by its frame header; `None` if it is none that can be a photo: damaged, lossless, of other than 8
/// bits.
fn pixels(jpeg: &[u8]) -> Option<u64> {
    let mut rest = jpeg.strip_prefix(b"\xFF\xD8")?;
    loop {
        let (&[0xFF, marker], after) = rest.split_first_chunk()? else { return None };
        match marker {
            0xFF => rest = &rest[1..],
            // Frame headers of baseline, extended and progressive pictures.
            0xC0..=0xC2 => {
                let &[_, _, 8, h1, h0, w1, w0] = after.first_chunk()? else { return None };
                let [width, height] = [[w1, w0], [h1, h0]].map(|side| u64::from(u16::from_be_bytes(side)));
                return Some(width * height).filter(|&pixels| pixels > 0);
            }
            // Tables, application data, comments, the restart interval.
            0xC4 | 0xDB | 0xDD | 0xE0..=0xEF | 0xFE => {
                let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
                rest = after.get(length.max(2)..)?;
            }
            // A frame of another kind, or a scan without a frame.
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_tells_the_pixels() {
        let jpeg = |frame: u8, bits: u8| {
            [b"\xFF\xD8\xFF\xE0\x00\x04ab\xFF\xFF", [frame, 0, 11, bits].as_slice(), b"\x01\x00\x00\x10\x01"]
                .concat()
        };
        assert_eq!(pixels(&jpeg(0xC0, 8)), Some(256 * 16));
        assert_eq!(pixels(&jpeg(0xC2, 8)), Some(256 * 16));
        assert_eq!(pixels(&jpeg(0xC3, 8)), None, "lossless: a sensor's data");
        assert_eq!(pixels(&jpeg(0xC0, 12)), None);
        for length in 0..jpeg(0xC0, 8).len() - 1 {
            assert_eq!(pixels(&jpeg(0xC0, 8)[..length]), None, "the first {length} bytes");
        }
    }

    #[test]
    fn directories_that_point_in_circles_are_walked_once() {
        // One directory that is its own child and its own successor.
        let bytes = b"II*\0\x08\0\0\0\x01\0\x4A\x01\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0";
        assert_eq!(directories(&Tiff::of(bytes).unwrap()).len(), 1);
    }
}
