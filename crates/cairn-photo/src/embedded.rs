//! Where a file of each format keeps its EXIF data and its XMP packet.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;
use heifer_isobmff::HeifFile;

use crate::bmff;
use crate::ifd::Tiff;

/// The EXIF data and the XMP packet of a file.
#[derive(Debug, Default)]
pub(crate) struct Embedded<'a> {
    /// A TIFF structure, whose first directory is EXIF's.
    pub(crate) exif: Option<Cow<'a, [u8]>>,
    /// A TIFF structure with the directory of the exposure, where that is not in `exif`.
    pub(crate) exposure: Option<&'a [u8]>,
    /// A TIFF structure with the directory of the position, where that is not in `exif`.
    pub(crate) gps: Option<&'a [u8]>,
    /// XML.
    pub(crate) xmp: Option<Cow<'a, [u8]>>,
}

impl<'a> Embedded<'a> {
    /// Finds them in a file's bytes. Missing and damaged ones are `None`.
    pub(crate) fn of(bytes: &'a [u8]) -> Embedded<'a> {
        if bytes.starts_with(b"\xFF\xD8") {
            in_jpeg(bytes)
        } else if let Some(tiff) = Tiff::of(bytes) {
            in_tiff(bytes, &tiff)
        } else if let Some(chunks) = bytes.strip_prefix(b"\x89PNG\r\n\x1A\n") {
            in_png(chunks)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            in_webp(&bytes[12..])
        } else if bytes.starts_with(b"FUJIFILMCCD-RAW ") {
            raf_preview(bytes).map(in_jpeg).unwrap_or_default()
        } else if bytes.get(4..12) == Some(b"ftypcrx ") {
            in_cr3(bytes).unwrap_or_default()
        } else if bytes.get(4..8) == Some(b"ftyp") {
            in_heif(bytes).unwrap_or_default()
        } else {
            Embedded::default()
        }
    }
}

/// Some programs put JPEG's prefix before the TIFF structure in other formats, too.
fn without_prefix(exif: &[u8]) -> &[u8] {
    exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)
}

/// Segments APP1 before the first scan.
fn in_jpeg(bytes: &[u8]) -> Embedded<'_> {
    let mut found = Embedded::default();
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((&[0xFF, marker], after)) = rest.split_first_chunk() {
        match marker {
            // Any number of 0xFF may fill the room before a marker.
            0xFF => {
                rest = &rest[1..];
                continue;
            }
            // Markers without a length.
            0x01 | 0xD0..=0xD8 => {
                rest = after;
                continue;
            }
            // A scan, or the end.
            0xDA | 0xD9 => break,
            _ => {}
        }
        let Some(length) = after.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length))) else {
            break;
        };
        let Some(segment) = after.get(2..length) else { break };
        if marker == 0xE1 {
            if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                found.exif.get_or_insert(exif.into());
            } else if let Some(xmp) = segment.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                found.xmp.get_or_insert(xmp.into());
            }
        }
        rest = &after[length..];
    }
    found
}

/// The file is its own EXIF data. (RAW files of many makers are TIFF, too.)
fn in_tiff<'a>(bytes: &'a [u8], tiff: &Tiff<'a>) -> Embedded<'a> {
    /// Adobe's XMP specification, part 3, section 1.1.8.
    const XMP: u16 = 700;
    let main = tiff.first().and_then(|offset| tiff.directory(offset));
    let xmp = main.and_then(|main| main.entry(XMP)).map(|entry| entry.bytes().into());
    Embedded { exif: Some(bytes.into()), xmp, ..Embedded::default() }
}

/// Chunks `eXIf` and `iTXt`, and ImageMagick's "Raw profile type" in text chunks.
fn in_png(chunks: &[u8]) -> Embedded<'_> {
    let mut found = Embedded::default();
    let mut from_profile = None;
    let mut rest = chunks;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((kind, data)) = after.split_first_chunk::<4>() else { break };
        let Some((data, after)) = data.split_at_checked(length) else { break };
        match kind {
            b"eXIf" => {
                found.exif.get_or_insert(without_prefix(data).into());
            }
            // Keyword, compression flag and method, language, translated keyword, text.
            b"iTXt" => {
                let xmp = data.strip_prefix(b"XML:com.adobe.xmp\0\0\0").and_then(|rest| {
                    let mut parts = rest.splitn(3, |&byte| byte == 0);
                    parts.nth(2)
                });
                if let Some(xmp) = xmp {
                    found.xmp.get_or_insert(xmp.into());
                }
            }
            b"tEXt" | b"zTXt" if from_profile.is_none() => {
                from_profile = raw_profile(data, kind == b"zTXt");
            }
            _ => {}
        }
        // Behind the checksum.
        rest = after.get(4..).unwrap_or_default();
    }
    found.exif = found.exif.or(from_profile.map(Cow::Owned));
    found
}

/// EXIF data as ImageMagick writes it: hexadecimal digits behind a name and a length, each on a line of its own.
fn raw_profile(text: &[u8], compressed: bool) -> Option<Vec<u8>> {
    /// EXIF data in a JPEG has less than half as many bytes.
    const MAX_DIGITS: u64 = 1 << 18;
    let rest = text
        .strip_prefix(b"Raw profile type exif\0")
        .or_else(|| text.strip_prefix(b"Raw profile type APP1\0"))?;
    let mut inflated = Vec::new();
    let text = if compressed {
        let zlib = rest.strip_prefix(b"\0")?;
        ZlibDecoder::new(zlib).take(MAX_DIGITS).read_to_end(&mut inflated).ok()?;
        inflated.as_slice()
    } else {
        &rest[..rest.len().min(MAX_DIGITS as usize)]
    };
    let digits = text.trim_ascii_start().splitn(3, |&byte| byte == b'\n').nth(2)?;
    let digits: Vec<u8> =
        digits.iter().filter_map(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    let bytes: Vec<u8> = digits.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec)
}

/// Chunks `EXIF` and `XMP `.
fn in_webp(chunks: &[u8]) -> Embedded<'_> {
    let mut found = Embedded::default();
    let mut rest = chunks;
    while let Some((kind, after)) = rest.split_first_chunk::<4>() {
        let Some((length, data)) = after.split_first_chunk::<4>() else { break };
        let length = u32::from_le_bytes(*length) as usize;
        let Some((data, after)) = data.split_at_checked(length) else { break };
        match kind {
            b"EXIF" => {
                found.exif.get_or_insert(without_prefix(data).into());
            }
            b"XMP " => {
                found.xmp.get_or_insert(data.into());
            }
            _ => {}
        }
        // Chunks begin at even offsets.
        rest = after.get(length % 2..).unwrap_or_default();
    }
    found
}

/// Items of HEIC and AVIF.
fn in_heif(bytes: &[u8]) -> Option<Embedded<'_>> {
    let file = parse_heif(bytes)?.ok()?;
    let owned = |item: Result<Option<Vec<u8>>, _>| item.ok().flatten().map(Cow::Owned);
    let (exif, xmp) = (owned(file.exif(file.primary_id)), owned(file.xmp(file.primary_id)));
    Some(Embedded { exif, xmp, ..Embedded::default() })
}

/// The items of a HEIF file. `None` if they are described in more than a megabyte: a phone needs 10 KB, and it takes
/// time in the square of that.
pub(crate) fn parse_heif(bytes: &[u8]) -> Option<Result<HeifFile<'_>, heifer_isobmff::Error>> {
    const MAX_META_BYTES: usize = 1 << 20;
    let all_small = bmff::boxes(bytes)
        .filter(|found| &found.kind == b"meta")
        .all(|meta| meta.content.len() <= MAX_META_BYTES);
    all_small.then(|| HeifFile::parse(bytes))
}

/// Canon's identifier of the box of metadata in a CR3's `moov`.
pub(crate) const CANON_METADATA: [u8; 16] =
    *b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";

/// Canon's boxes `CMT1` (the first directory), `CMT2` (the exposure) and `CMT4` (the position), each TIFF by itself.
fn in_cr3(bytes: &[u8]) -> Option<Embedded<'_>> {
    let metadata = bmff::find_uuid(bmff::find(bytes, b"moov")?, &CANON_METADATA)?;
    Some(Embedded {
        exif: bmff::find(metadata, b"CMT1").map(Cow::Borrowed),
        exposure: bmff::find(metadata, b"CMT2"),
        gps: bmff::find(metadata, b"CMT4"),
        xmp: None,
    })
}

/// The JPEG in a Fujifilm RAF, whose offset and length are at byte 84.
pub(crate) fn raf_preview(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let (offset, length) = (number(84)?, number(88)?);
    bytes.get(offset..offset.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIF: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0\0\0";

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, b"crc."].concat()
    }

    #[test]
    fn png_keeps_exif_in_a_chunk_or_as_digits_and_xmp_in_a_text() {
        let signature = b"\x89PNG\r\n\x1A\n".as_slice();
        let file = [signature, &chunk(b"IHDR", b"..."), &chunk(b"eXIf", EXIF)].concat();
        assert_eq!(Embedded::of(&file).exif.as_deref(), Some(EXIF));

        let digits: String = [b"Exif\0\0", EXIF].concat().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("Raw profile type exif\0\nexif\n      20\n{}\n{}\n", &digits[..10], &digits[10..]);
        let file = [signature, &chunk(b"tEXt", text.as_bytes())].concat();
        assert_eq!(Embedded::of(&file).exif.as_deref(), Some(EXIF));

        let file = [signature, &chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x>")].concat();
        assert_eq!(Embedded::of(&file).xmp.as_deref(), Some(b"<x>".as_slice()));
    }

    #[test]
    fn webp_keeps_exif_and_xmp_in_chunks() {
        let file = b"RIFF\0\0\0\0WEBPVP8X\x01\0\0\0.\0XMP \x03\0\0\0<x>\0EXIF\x0E\0\0\0".as_slice();
        let file = [file, EXIF].concat();
        assert_eq!(Embedded::of(&file).xmp.as_deref(), Some(b"<x>".as_slice()));
        assert_eq!(Embedded::of(&file).exif.as_deref(), Some(EXIF));
    }

    #[test]
    fn a_jpeg_keeps_both_before_its_scan() {
        let segment =
            |data: &[u8]| [b"\xFF\xE1", (data.len() as u16 + 2).to_be_bytes().as_slice(), data].concat();
        let exif = segment(&[b"Exif\0\0", EXIF].concat());
        let xmp = segment(b"http://ns.adobe.com/xap/1.0/\0<x>");
        let file = [b"\xFF\xD8", xmp.as_slice(), b"\xFF", &exif, b"\xFF\xDA"].concat();
        assert_eq!(Embedded::of(&file).exif.as_deref(), Some(EXIF));
        assert_eq!(Embedded::of(&file).xmp.as_deref(), Some(b"<x>".as_slice()));
        let file = [b"\xFF\xD8\xFF\xDA\0\x02", exif.as_slice()].concat();
        assert!(Embedded::of(&file).exif.is_none(), "what follows the scan is picture");
        assert!(
            Embedded::of(b"\xFF\xD8\xFF\xE1\0\0").exif.is_none(),
            "a length that leaves no room for itself"
        );
    }
}
