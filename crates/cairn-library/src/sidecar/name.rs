//! The two names that a sidecar may have.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// How a new sidecar is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SidecarStyle {
    /// `photo.ext.xmp`: darktable, digiKam, Immich.
    Extended,
    /// `photo.xmp`: Lightroom, for raw files.
    Stem,
}

/// `photo.ext.xmp`
pub fn with_xmp(photo: &OsStr) -> OsString {
    let mut name = photo.to_owned();
    name.push(".xmp");
    name
}

/// `photo.xmp`
pub fn stem_sidecar(photo: &OsStr) -> OsString {
    with_xmp(stem(photo))
}

/// The name without its extension.
pub(super) fn stem(name: &OsStr) -> &OsStr {
    Path::new(name).file_stem().unwrap_or(name)
}

/// The extension in lower case; empty where there is none.
pub(super) fn extension(name: &OsStr) -> String {
    Path::new(name)
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}
