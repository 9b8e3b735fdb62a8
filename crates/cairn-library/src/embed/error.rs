//! Why a photo's own metadata is not read or not edited.

use thiserror::Error;

use crate::xmp::XmpError;

/// The largest packet in a segment of a JPEG file (ISO 16684-3, section 1.1.3).
pub(super) const MAX_XMP: usize = 65_502;

/// Why a photo's own metadata is not read or not edited. A sidecar may do where only embedding is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbedError {
    /// A format in which cairn cannot find keywords, so that a sidecar could hide them.
    #[error("cairn cannot read the keywords of this format")]
    Unreadable,
    /// A format that cairn does not write into.
    #[error("cairn does not write into files of this format; write a sidecar")]
    Format,
    /// The file ends early, or its parts do not fit together.
    #[error("the file is truncated or damaged: {0}")]
    Damaged(&'static str),
    /// The XMP itself.
    #[error(transparent)]
    Xmp(#[from] XmpError),
    /// XMP in two places of one file.
    #[error("the file holds XMP twice")]
    XmpTwice,
    /// XMP in a form that cannot be edited in place.
    #[error("the file holds compressed or hexadecimal metadata ({0}), which cairn does not edit")]
    Packed(&'static str),
    /// XMP continued in further segments.
    #[error("the photo has extended XMP; write a sidecar")]
    ExtendedXmp,
    /// More than a JPEG segment holds.
    #[error("the XMP would have {0} bytes, and a segment of a JPEG file holds {max}; write a sidecar", max = MAX_XMP)]
    TooLarge(usize),
    /// IPTC-IIM keywords, which must stay in step with XMP.
    #[error("the photo has IPTC-IIM keywords, which must stay in step with XMP; write a sidecar")]
    IimKeywords,
    /// A block of IPTC-IIM that does not parse.
    #[error("the photo's IPTC-IIM block is damaged")]
    DamagedIim,
    /// C2PA or other signed statements, which any edit invalidates.
    #[error("the photo has content credentials (C2PA), which any edit invalidates; write a sidecar")]
    Credentials,
    /// Growth would shift what the MP header points to.
    #[error("the photo holds several pictures (MPF), whose positions an edit would shift; write a sidecar")]
    SeveralPictures,
    /// EXIF that does not parse.
    #[error("the photo's EXIF is damaged; write a sidecar")]
    DamagedExif,
    /// The coded picture cannot be told from what is around it.
    #[error("the picture cannot be told from what is around it; write a sidecar")]
    PictureUnknown,
}
