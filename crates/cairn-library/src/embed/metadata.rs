//! The blocks of metadata that hold keywords.

use super::Format;

/// The blocks of metadata in a photo that hold keywords, or forbid to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The format.
    pub format: Format,
    /// The XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// XMP continued in further segments of a JPEG, in one piece.
    pub extended_xmp: Option<Vec<u8>>,
    /// EXIF: a TIFF file in itself.
    pub exif: Option<Vec<u8>>,
    /// IPTC-IIM: its data sets.
    pub iim: Option<Vec<u8>>,
    /// Whether the photo is signed: JUMBF in a JPEG, `caBX` in a PNG, `C2PA` in a WebP.
    pub has_credentials: bool,
}

impl Metadata {
    pub(super) fn none(format: Format) -> Metadata {
        Metadata { format, xmp: None, extended_xmp: None, exif: None, iim: None, has_credentials: false }
    }
}
