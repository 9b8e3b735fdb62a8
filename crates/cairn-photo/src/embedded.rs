//! Where a file of each format keeps its EXIF block and its XMP packet.

use std::borrow::Cow;

use crate::ifd::Tiff;

/// The EXIF block and the XMP packet of a file.
#[derive(Debug, Default)]
pub(crate) struct Embedded<'a> {
    /// TIFF structure.
    pub(crate) exif: Option<Cow<'a, [u8]>>,
    /// XML.
    pub(crate) xmp: Option<Cow<'a, [u8]>>,
}

impl<'a> Embedded<'a> {
    /// Finds both in a file's bytes. Missing and damaged ones are `None`.
    pub(crate) fn of(bytes: &'a [u8]) -> Embedded<'a> {
        if bytes.starts_with(b"\xFF\xD8") {
            in_jpeg(bytes)
        } else if Tiff::of(bytes).is_some() {
            Embedded { exif: Some(bytes.into()), xmp: None }
        } else {
            Embedded::default()
        }
    }
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
