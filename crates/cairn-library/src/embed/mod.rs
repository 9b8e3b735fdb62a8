//! Metadata in photos: found in all formats that cairn marks, written into JPEG, PNG and WebP.
//!
//! [`Metadata::of`] finds the blocks that hold keywords. [`embed`] edits a photo's XMP by replacing ranges of bytes; every
//! other byte stays, and what could break is refused ([`EmbedError`]).

mod bmff;
mod error;
mod find;
mod format;
mod iim_block;
mod jpeg;
mod metadata;
mod png;
mod tiff;
mod tiff_directory;
mod webp;

pub use error::EmbedError;
pub use format::Format;
pub use metadata::Metadata;

use crate::Splice;
use crate::xmp::{Change, NEW_PACKET, Packet, Property, edit};

/// The replacements that make these changes to a photo's XMP, which is created if it has none. None where nothing changes.
///
/// # Errors
///
/// [`EmbedError`] for each reason not to touch the photo: see its variants.
pub fn embed(photo: &[u8], changes: &[Change]) -> Result<Vec<Splice>, EmbedError> {
    let metadata = Metadata::of(photo)?;
    if metadata.has_credentials {
        return Err(EmbedError::Credentials);
    }
    if metadata.iim_keywords()?.is_some() {
        return Err(EmbedError::IimKeywords);
    }
    if metadata.extended_xmp.is_some() {
        return Err(EmbedError::ExtendedXmp);
    }
    if let Some(exif) = &metadata.exif {
        tiff::check(exif)?;
    }
    let old = metadata.xmp.as_deref();
    if let Some(old) = old
        && Packet::parse(old)?.get(Property::HAS_EXTENDED_XMP)?.is_some()
    {
        return Err(EmbedError::ExtendedXmp);
    }
    let new = edit(old.unwrap_or(NEW_PACKET.as_bytes()), changes)?;
    if old.unwrap_or(NEW_PACKET.as_bytes()) == new {
        return Ok(Vec::new());
    }
    let splices = match metadata.format {
        Format::Jpeg => jpeg::with_xmp(photo, &new),
        Format::Png => png::with_xmp(photo, &new),
        Format::WebP => webp::with_xmp(photo, &new),
        Format::Tiff | Format::Bmff => Err(EmbedError::Format),
    }?;
    let after = Splice::apply(photo, &splices);
    if after.is_none_or(|after| picture_hash(&after) != picture_hash(photo)) {
        return Err(EmbedError::PictureUnknown);
    }
    Ok(splices)
}

/// Of the coded picture: what no edit may change, and by what decisions know it again.
fn picture_hash(photo: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    cairn_photo::each_part_of_coded_picture(photo, |part| {
        hasher.update(part);
    });
    hasher.finalize()
}
