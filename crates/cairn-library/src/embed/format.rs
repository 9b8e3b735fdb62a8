//! Formats by content.

use super::tiff_directory::Tiff;

/// How a PNG file begins.
pub(super) const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A format in which cairn finds keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// TIFF, and raw files that are TIFF: DNG, NEF, CR2, ARW, ORF, RW2, PEF.
    Tiff,
    /// HEIC, AVIF and CR3: files of boxes (ISO base media file format).
    Bmff,
}

impl Format {
    /// The format of a file's bytes; `None` for all others.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        let brand = || bytes.get(8..12).unwrap_or_default();
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Format::Jpeg)
        } else if bytes.starts_with(PNG_SIGNATURE) {
            Some(Format::Png)
        } else if bytes.starts_with(b"RIFF") && brand() == b"WEBP" {
            Some(Format::WebP)
        } else if Tiff::of(bytes).is_some() {
            Some(Format::Tiff)
        } else if bytes.get(4..8) == Some(b"ftyp")
            && [&b"heic"[..], b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx "].contains(&brand())
        {
            Some(Format::Bmff)
        } else {
            None
        }
    }

    /// Whether cairn writes into files of this format.
    pub fn can_embed(self) -> bool {
        matches!(self, Format::Jpeg | Format::Png | Format::WebP)
    }
}
