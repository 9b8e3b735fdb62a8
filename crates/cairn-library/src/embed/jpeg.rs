//! JPEG: segments up to the pixels (ITU-T T.81, annex B).

use std::ops::Range;

use crate::Splice;

use super::error::MAX_XMP;
use super::{EmbedError, Format, Metadata, iim_block};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const EXIF: &[u8] = b"Exif\0\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const MULTI_PICTURE: &[u8] = b"MPF\0";

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP11: u8 = 0xeb;
const APP13: u8 = 0xed;

/// A segment before the first scan.
struct Segment<'a> {
    marker: u8,
    /// From the marker's first byte.
    range: Range<usize>,
    content: &'a [u8],
}

/// The segments before the first scan. The file is whole if this succeeds: it has an end of image.
fn segments(bytes: &[u8]) -> Result<Vec<Segment<'_>>, EmbedError> {
    let mut segments = Vec::new();
    let mut at = 2;
    let mut in_header = true;
    loop {
        let start = at;
        if bytes.get(at) != Some(&0xff) {
            return Err(EmbedError::Damaged("no marker where one should be"));
        }
        // A marker may have several bytes 0xff before it.
        at += bytes[at..].iter().take_while(|&&byte| byte == 0xff).count();
        let marker = *bytes.get(at).ok_or(EmbedError::Damaged("no end of image"))?;
        at += 1;
        match marker {
            EOI => return Ok(segments),
            0x00 | SOI => return Err(EmbedError::Damaged("a marker out of place")),
            0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let length = bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u16::from_be_bytes(*bytes));
        let end = at + usize::from(length.ok_or(EmbedError::Damaged("no end of image"))?);
        let content = bytes.get(at + 2..end).ok_or(EmbedError::Damaged("a segment longer than the file"))?;
        at = end;
        in_header &= marker != SOS;
        if in_header {
            segments.push(Segment { marker, range: start..end, content });
        }
        if marker == SOS {
            at = after_scan(bytes, at)?;
        }
    }
}

/// Where the marker after the coded pixels is.
fn after_scan(bytes: &[u8], mut at: usize) -> Result<usize, EmbedError> {
    loop {
        at += bytes[at..]
            .iter()
            .position(|&byte| byte == 0xff)
            .ok_or(EmbedError::Damaged("no end of image"))?;
        match bytes.get(at + 1) {
            // A byte 0xff of the pixels, or a restart.
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return Ok(at),
            None => return Err(EmbedError::Damaged("no end of image")),
        }
    }
}

pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata, EmbedError> {
    let segments = segments(bytes)?;
    let mut metadata = Metadata::none(Format::Jpeg);
    let mut photoshop = Vec::new();
    let mut extended = Vec::new();
    for Segment { marker, content, .. } in &segments {
        match *marker {
            APP1 => {
                if let Some(packet) = content.strip_prefix(XMP) {
                    if metadata.xmp.replace(packet.to_vec()).is_some() {
                        return Err(EmbedError::XmpTwice);
                    }
                } else if let Some(piece) = content.strip_prefix(EXTENDED_XMP) {
                    extended.push(piece);
                } else if let Some(exif) = content.strip_prefix(EXIF) {
                    // A second block is passed over by readers.
                    metadata.exif.get_or_insert_with(|| exif.to_vec());
                }
            }
            // JUMBF, in which C2PA is (ISO 19566-5).
            APP11 if content.starts_with(b"JP") => metadata.has_credentials = true,
            APP13 => photoshop.extend_from_slice(content.strip_prefix(PHOTOSHOP).unwrap_or_default()),
            _ => {}
        }
    }
    metadata.iim = iim_block::in_photoshop_resources(&photoshop)?;
    metadata.extended_xmp = assembled(&extended)?;
    Ok(metadata)
}

/// Extended XMP, from its pieces in any order: an identifier of 32 letters, the length of all, this piece's offset.
fn assembled(pieces: &[&[u8]]) -> Result<Option<Vec<u8>>, EmbedError> {
    const DAMAGED: EmbedError = EmbedError::Damaged("extended XMP whose pieces do not fit together");
    let mut whole = Vec::new();
    let mut sorted = Vec::new();
    for piece in pieces {
        let number = |at: usize| {
            piece.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes) as usize)
        };
        let (Some(length), Some(offset)) = (number(32), number(36)) else { return Err(DAMAGED) };
        sorted.push((offset, length, &piece[40..]));
    }
    sorted.sort();
    for (offset, _, content) in &sorted {
        if *offset != whole.len() {
            return Err(DAMAGED);
        }
        whole.extend_from_slice(content);
    }
    match sorted.first() {
        None => Ok(None),
        Some((_, length, _)) if *length == whole.len() => Ok(Some(whole)),
        Some(_) => Err(DAMAGED),
    }
}

/// The replacement that puts this packet in the place of the old one or else after EXIF.
pub(super) fn with_xmp(bytes: &[u8], packet: &[u8]) -> Result<Vec<Splice>, EmbedError> {
    if packet.len() > MAX_XMP {
        return Err(EmbedError::TooLarge(packet.len()));
    }
    let segments = segments(bytes)?;
    let old = segments.iter().find(|segment| segment.marker == APP1 && segment.content.starts_with(XMP));
    let range = match old {
        Some(segment) => segment.range.clone(),
        None => {
            let exif =
                segments.iter().find(|segment| segment.marker == APP1 && segment.content.starts_with(EXIF));
            let first = segments.iter().take_while(|segment| segment.marker == APP0).last();
            let at = exif.or(first).map_or(2, |segment| segment.range.end);
            at..at
        }
    };
    let content = [XMP, packet].concat();
    // The packet is at most 65,502 bytes, its name 29, the length itself 2.
    let length = u16::try_from(content.len() + 2).map_err(|_| EmbedError::TooLarge(packet.len()))?;
    let segment = [&[0xff, APP1][..], &length.to_be_bytes(), &content].concat();
    let several =
        segments.iter().any(|segment| segment.marker == APP2 && segment.content.starts_with(MULTI_PICTURE));
    if several && segment.len() != range.len() {
        return Err(EmbedError::SeveralPictures);
    }
    Ok(vec![Splice { at: range.start, old: bytes[range].to_vec(), new: segment }])
}
