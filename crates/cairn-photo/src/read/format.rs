//! Telling a picture's format by its first bytes.

use image::ImageFormat;

use super::raw;
use crate::ifd::Tiff;

/// A picture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One that the `image` crate knows by name; not all of them are built in.
    Common(ImageFormat),
    /// AV1 in the HEIF container.
    Avif,
    /// HEVC in the HEIF container: photos of Apple's phones.
    Heic,
    /// A camera's raw file.
    Raw,
    /// One that is known by name and not read.
    Unread(&'static str),
}

impl Format {
    /// The format of a file that begins with `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Option<Format> {
        if raw::is_raw(bytes) {
            return Some(Format::Raw);
        }
        if Tiff::of(bytes).is_some() {
            return Some(Format::Common(ImageFormat::Tiff));
        }
        Format::of_heif(bytes)
            .or_else(|| image::guess_format(bytes).ok().map(Format::Common))
            .or_else(|| Format::of_unread(bytes))
    }

    fn of_unread(bytes: &[u8]) -> Option<Format> {
        let signatures: [(&[u8], &str); 6] = [
            (b"\xFF\x0A", "JPEG XL"),
            (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
            (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
            (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
            (b"8BPS", "Photoshop"),
            (b"gimp xcf", "GIMP"),
        ];
        let found = signatures.into_iter().find(|(signature, _)| bytes.starts_with(signature));
        found.map(|(_, name)| Format::Unread(name))
    }

    /// The format of a file in the HEIF container, which begins with a box of the brands that it keeps to: four bytes
    /// of length, `ftyp`, the major brand, a version, compatible brands (ISO/IEC 14496-12, section 4.3).
    fn of_heif(bytes: &[u8]) -> Option<Format> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let brands = rest.strip_prefix(b"ftyp")?;
        let length = u32::from_be_bytes(*length) as usize;
        let brands = &brands[..brands.len().min(length.saturating_sub(8))];
        let (brands, _) = brands.as_chunks::<4>();
        let names_any = |wanted: &[&[u8; 4]]| brands.iter().any(|brand| wanted.contains(&brand));
        // `mif1` says no more than "a picture in HEIF", and stands in AVIF files too: AVIF must be asked for first.
        if names_any(&[b"avif", b"avis"]) {
            Some(Format::Avif)
        } else if names_any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
            Some(Format::Heic)
        } else {
            None
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Common(ImageFormat::Jpeg) => "JPEG",
            Format::Common(ImageFormat::Png) => "PNG",
            Format::Common(ImageFormat::WebP) => "WebP",
            Format::Common(ImageFormat::Gif) => "GIF",
            Format::Common(ImageFormat::Bmp) => "BMP",
            Format::Common(ImageFormat::Tiff) => "TIFF",
            Format::Common(ImageFormat::Ico) => "ICO",
            Format::Common(ImageFormat::Pnm) => "PNM",
            Format::Common(ImageFormat::Dds) => "DDS",
            Format::Common(ImageFormat::Hdr) => "Radiance HDR",
            Format::Common(ImageFormat::OpenExr) => "OpenEXR",
            Format::Common(_) => "this picture format",
            Format::Avif => "AVIF",
            Format::Heic => "HEIC",
            Format::Raw => "raw",
            Format::Unread(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heif_brands_tell_avif_from_heic() {
        let file = |brands: &[u8]| {
            let mut bytes = (8 + brands.len() as u32).to_be_bytes().to_vec();
            bytes.extend(b"ftyp");
            bytes.extend(brands);
            // What follows the box must not be taken for brands.
            bytes.extend(b"avifavif");
            bytes
        };
        assert_eq!(Format::of(&file(b"heic\0\0\0\0mif1heic")), Some(Format::Heic));
        assert_eq!(Format::of(&file(b"mif1\0\0\0\0heic")), Some(Format::Heic));
        assert_eq!(Format::of(&file(b"avif\0\0\0\0mif1miaf")), Some(Format::Avif));
        assert_eq!(Format::of(&file(b"mif1\0\0\0\0avif")), Some(Format::Avif));
        assert_eq!(Format::of(&file(b"isom\0\0\0\0mp41")), None, "a film is no photo");
        assert_eq!(Format::of(b"\0\0\0\x18ftyp"), None);
    }
}
