//! PNG: chunks (ISO/IEC 15948, section 5).

use std::ops::Range;

use crate::Splice;

use super::format::PNG_SIGNATURE;
use super::{EmbedError, Format, Metadata};

/// Keyword, zero, not compressed, compression method 0, no language, no translated keyword.
const XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

struct Chunk<'a> {
    kind: [u8; 4],
    range: Range<usize>,
    content: &'a [u8],
}

/// All chunks up to the last, `IEND`.
fn chunks(bytes: &[u8]) -> Result<Vec<Chunk<'_>>, EmbedError> {
    const TRUNCATED: EmbedError = EmbedError::Damaged("no end of image");
    let mut chunks = Vec::new();
    let mut at = PNG_SIGNATURE.len();
    loop {
        let header: &[u8; 8] = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(TRUNCATED)?;
        let [a, b, c, d, kind @ ..] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let content = bytes.get(at + 8..at + 8 + length).ok_or(TRUNCATED)?;
        let end = at + 12 + length;
        let sum = bytes.get(end - 4..end).ok_or(TRUNCATED)?;
        if sum != checksum(&bytes[at + 4..end - 4]).to_be_bytes() {
            return Err(EmbedError::Damaged("a chunk with a wrong checksum"));
        }
        chunks.push(Chunk { kind, range: at..end, content });
        if &kind == b"IEND" {
            return Ok(chunks);
        }
        at = end;
    }
}

/// CRC-32 as PNG has it (ISO/IEC 15948, annex D).
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata, EmbedError> {
    let mut metadata = Metadata::none(Format::Png);
    for Chunk { kind, content, .. } in chunks(bytes)? {
        match &kind {
            b"iTXt" if content.starts_with(XMP_KEYWORD) => {
                let packet = content.strip_prefix(XMP).ok_or(EmbedError::Packed("iTXt"))?;
                if metadata.xmp.replace(packet.to_vec()).is_some() {
                    return Err(EmbedError::XmpTwice);
                }
            }
            // ImageMagick's way to keep EXIF, IPTC and XMP, from before PNG had chunks for them.
            b"tEXt" | b"zTXt" | b"iTXt" if content.starts_with(b"Raw profile type ") => {
                let name = &content[17..];
                let named = |kind: &[u8]| name.starts_with(kind);
                if named(b"iptc") || named(b"8bim") || named(b"xmp") || named(b"exif") || named(b"APP1") {
                    return Err(EmbedError::Packed("Raw profile"));
                }
            }
            b"eXIf" => metadata.exif = Some(content.strip_prefix(b"Exif\0\0").unwrap_or(content).to_vec()),
            b"caBX" => metadata.has_credentials = true,
            _ => {}
        }
    }
    Ok(metadata)
}

/// The replacement that puts this packet in the place of the old one or else before the pixels.
pub(super) fn with_xmp(bytes: &[u8], packet: &[u8]) -> Result<Vec<Splice>, EmbedError> {
    let chunks = chunks(bytes)?;
    let old = chunks.iter().find(|chunk| &chunk.kind == b"iTXt" && chunk.content.starts_with(XMP_KEYWORD));
    let range = match old {
        Some(chunk) => chunk.range.clone(),
        None => {
            let pixels = chunks.iter().find(|chunk| &chunk.kind == b"IDAT");
            let at = pixels.ok_or(EmbedError::Damaged("no pixels"))?.range.start;
            at..at
        }
    };
    let typed = [b"iTXt", XMP, packet].concat();
    let length = u32::try_from(typed.len() - 4).map_err(|_| EmbedError::TooLarge(packet.len()))?;
    let chunk = [&length.to_be_bytes()[..], &typed, &checksum(&typed).to_be_bytes()].concat();
    Ok(vec![Splice { at: range.start, old: bytes[range].to_vec(), new: chunk }])
}
