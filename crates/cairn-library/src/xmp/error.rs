//! Why a packet is not edited.

use thiserror::Error;

/// Larger packets are not read. Lightroom's with many masks have a few megabytes.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// Why an XMP packet cannot be read or edited. The photo is left alone then.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum XmpError {
    /// Only UTF-8 is edited.
    #[error("the XMP is not in UTF-8")]
    Encoding,
    /// XML that is not well-formed.
    #[error("the XMP is malformed: {0}")]
    Malformed(String),
    /// XML without exactly one `rdf:RDF`.
    #[error("the XMP has {0} rdf:RDF elements instead of one")]
    NotOneRdf(usize),
    /// RDF of a form that cairn does not know.
    #[error("{0}: a form of XMP that cairn does not know")]
    UnknownForm(String),
    /// One property in two places: programs differ in which one they read.
    #[error("{0} is there twice")]
    Twice(String),
    /// More bytes than metadata has.
    #[error("the XMP has {0} bytes; cairn edits up to {max}", max = MAX_BYTES)]
    TooLarge(usize),
    /// A character that XML cannot hold.
    #[error("{0:?} holds a character that XML cannot hold")]
    Unwritable(String),
}
