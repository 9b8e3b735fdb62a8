//! WebP: chunks of a RIFF file (RFC 9649).

use std::ops::Range;

use crate::Splice;

use super::{EmbedError, Format, Metadata};

/// `RIFF`, the length of what follows, `WEBP`.
const HEADER: usize = 12;

/// Bits of the first byte of `VP8X`.
const HAS_XMP: u8 = 0x04;
const HAS_ALPHA: u8 = 0x10;

struct Chunk<'a> {
    kind: [u8; 4],
    /// With its padding.
    range: Range<usize>,
    content: &'a [u8],
}

/// The chunks, and where the file of RIFF ends.
fn chunks(bytes: &[u8]) -> Result<(Vec<Chunk<'_>>, usize), EmbedError> {
    const TRUNCATED: EmbedError = EmbedError::Damaged("shorter than it says");
    let number = |at: usize| {
        bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_le_bytes(*bytes) as usize)
    };
    let end = number(4).and_then(|length| length.checked_add(8)).ok_or(TRUNCATED)?;
    if end > bytes.len() {
        return Err(TRUNCATED);
    }
    let mut chunks = Vec::new();
    let mut at = HEADER;
    while at < end {
        let kind = *bytes[at..end].first_chunk().ok_or(TRUNCATED)?;
        let length = number(at + 4).ok_or(TRUNCATED)?;
        let content = bytes[..end].get(at + 8..at + 8 + length).ok_or(TRUNCATED)?;
        // Some writers leave out the padding of the last chunk.
        let next = (at + 8 + length.next_multiple_of(2)).min(end);
        chunks.push(Chunk { kind, range: at..next, content });
        at = next;
    }
    Ok((chunks, end))
}

pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata, EmbedError> {
    let mut metadata = Metadata::none(Format::WebP);
    for Chunk { kind, content, .. } in chunks(bytes)?.0 {
        match &kind {
            b"XMP " if metadata.xmp.is_some() => return Err(EmbedError::XmpTwice),
            b"XMP " => metadata.xmp = Some(content.to_vec()),
            b"EXIF" => metadata.exif = Some(content.strip_prefix(b"Exif\0\0").unwrap_or(content).to_vec()),
            b"C2PA" => metadata.has_credentials = true,
            _ => {}
        }
    }
    Ok(metadata)
}

/// The replacements that put this packet in the place of the old one or else after the last chunk, with a `VP8X` that says so.
pub(super) fn with_xmp(bytes: &[u8], packet: &[u8]) -> Result<Vec<Splice>, EmbedError> {
    let (chunks, end) = chunks(bytes)?;
    let replace =
        |range: Range<usize>, new: Vec<u8>| Splice { at: range.start, old: bytes[range].to_vec(), new };
    let mut splices = Vec::new();
    match chunks.first() {
        Some(Chunk { kind: [b'V', b'P', b'8', b'X'], range, content }) => {
            let flags = content.first().ok_or(EmbedError::Damaged("an empty VP8X"))?;
            let at = range.start + 8;
            splices.push(replace(at..at + 1, vec![flags | HAS_XMP]));
        }
        _ => splices.push(replace(HEADER..HEADER, chunk(b"VP8X", &extended_header(&chunks)?)?)),
    }
    let new = chunk(b"XMP ", packet)?;
    splices.push(match chunks.iter().find(|chunk| &chunk.kind == b"XMP ") {
        Some(old) => replace(old.range.clone(), new),
        // The padding that the last chunk may lack.
        None => replace(end..end, [&[0][..end % 2], &new].concat()),
    });
    let grown = |splice: &Splice| splice.new.len() as i64 - splice.old.len() as i64;
    let length = end as i64 - 8 + splices.iter().map(grown).sum::<i64>();
    let length = u32::try_from(length).map_err(|_| EmbedError::TooLarge(packet.len()))?;
    splices.insert(0, replace(4..8, length.to_le_bytes().to_vec()));
    Ok(splices)
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Result<Vec<u8>, EmbedError> {
    let length = u32::try_from(content.len()).map_err(|_| EmbedError::TooLarge(content.len()))?;
    let padding = &[0][..content.len() % 2];
    Ok([kind, &length.to_le_bytes()[..], content, padding].concat())
}

/// The content of a `VP8X` for a file that has none: flags and the size of the picture.
fn extended_header(chunks: &[Chunk<'_>]) -> Result<[u8; 10], EmbedError> {
    const UNKNOWN: EmbedError = EmbedError::Damaged("a picture whose size cannot be read");
    let picture = chunks.first().ok_or(UNKNOWN)?;
    let (width, height, alpha) = match (&picture.kind, picture.content) {
        // A key frame: three bytes, the start code, width and height in 14 bits each (RFC 6386, section 9.1).
        (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, a, b, c, d, ..]) => {
            let side = |low: &u8, high: &u8| u32::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
            (side(a, b), side(c, d), false)
        }
        // The signature, then width and height less one in 14 bits each, then whether it has alpha.
        (b"VP8L", [0x2f, a, b, c, d, ..]) => {
            let bits = u32::from_le_bytes([*a, *b, *c, *d]);
            ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, bits >> 28 & 1 == 1)
        }
        _ => return Err(UNKNOWN),
    };
    if width == 0 || height == 0 {
        return Err(UNKNOWN);
    }
    let [w, h] = [(width - 1).to_le_bytes(), (height - 1).to_le_bytes()];
    let flags = HAS_XMP | if alpha { HAS_ALPHA } else { 0 };
    Ok([flags, 0, 0, 0, w[0], w[1], w[2], h[0], h[1], h[2]])
}
