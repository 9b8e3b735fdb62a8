//! Finds the blocks of metadata in each format, and keywords in the blocks.

use super::{EmbedError, Format, Metadata, bmff, iim_block, jpeg, png, tiff, webp};

impl Metadata {
    /// Finds the blocks in a file's bytes.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Unreadable`] for a format in which cairn would overlook keywords, [`EmbedError::Damaged`],
    /// [`EmbedError::XmpTwice`], [`EmbedError::Packed`], [`EmbedError::DamagedIim`].
    pub fn of(bytes: &[u8]) -> Result<Metadata, EmbedError> {
        match Format::of(bytes).ok_or(EmbedError::Unreadable)? {
            Format::Jpeg => jpeg::metadata(bytes),
            Format::Png => png::metadata(bytes),
            Format::WebP => webp::metadata(bytes),
            Format::Tiff => tiff::metadata(bytes),
            Format::Bmff => bmff::metadata(bytes),
        }
    }

    /// The keywords of the IPTC-IIM block; `None` where it has none.
    ///
    /// # Errors
    ///
    /// [`EmbedError::DamagedIim`] if the block does not parse.
    pub fn iim_keywords(&self) -> Result<Option<Vec<String>>, EmbedError> {
        let Some(iim) = &self.iim else { return Ok(None) };
        Ok(Some(iim_block::keywords(iim)?).filter(|keywords| !keywords.is_empty()))
    }

    /// Whether the IPTC-IIM block names a city, state or country.
    ///
    /// # Errors
    ///
    /// [`EmbedError::DamagedIim`] if the block does not parse.
    pub fn has_iim_place(&self) -> Result<bool, EmbedError> {
        self.iim.as_deref().map_or(Ok(false), iim_block::has_place)
    }

    /// The keywords that Windows keeps in EXIF (`XPKeywords`), separated by `;` there.
    ///
    /// # Errors
    ///
    /// [`EmbedError::DamagedExif`] if the EXIF does not parse.
    pub fn xp_keywords(&self) -> Result<Vec<String>, EmbedError> {
        self.exif.as_deref().map_or(Ok(Vec::new()), tiff::xp_keywords)
    }
}
