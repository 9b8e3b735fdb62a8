//! The names in one folder.

use std::ffi::{OsStr, OsString};

use super::SidecarStyle;
use super::name::{extension, stem};

/// The names of the files in one folder.
#[derive(Clone, Debug, Default)]
pub struct FolderNames {
    names: Vec<OsString>,
}

/// What a file is, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Raw,
    Picture,
    Video,
    Other,
}

const RAW: &[&str] = &[
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "k25", "kdc", "mef", "mos", "mrw",
    "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];
const PICTURE: &[&str] = &[
    "avif", "bmp", "gif", "heic", "heif", "hif", "jfif", "jp2", "jpe", "jpeg", "jpg", "jxl", "png", "psd",
    "tif", "tiff", "webp",
];
const VIDEO: &[&str] = &["3gp", "avi", "m4v", "mkv", "mov", "mp4", "mpg", "mts", "webm"];

impl Kind {
    pub(super) fn of(name: &OsStr) -> Kind {
        let extension = extension(name);
        let is = |list: &[&str]| list.contains(&extension.as_str());
        if is(RAW) {
            Kind::Raw
        } else if is(PICTURE) {
            Kind::Picture
        } else if is(VIDEO) {
            Kind::Video
        } else {
            Kind::Other
        }
    }
}

impl FolderNames {
    /// Of these names.
    pub fn new(names: impl IntoIterator<Item = OsString>) -> FolderNames {
        let mut names: Vec<OsString> = names.into_iter().collect();
        names.sort();
        FolderNames { names }
    }

    /// The files whose name differs from this one by the case of the last extension alone (`a.jpg.xmp`, `a.jpg.XMP`).
    pub(crate) fn sidecars_named(&self, wanted: &OsStr) -> Vec<&OsStr> {
        let same = |name: &&OsString| extension(name) == "xmp" && same_name(stem(name), stem(wanted));
        self.names.iter().filter(same).map(OsString::as_os_str).collect()
    }

    /// The photos and videos of this stem.
    pub(super) fn of_stem(&self, wanted: &OsStr) -> Vec<&OsStr> {
        let same = |name: &&OsString| Kind::of(name) != Kind::Other && same_name(stem(name), wanted);
        self.names.iter().filter(same).map(OsString::as_os_str).collect()
    }

    pub(super) fn contains(&self, name: &OsStr) -> bool {
        self.names.binary_search_by(|known| known.as_os_str().cmp(name)).is_ok()
    }

    /// The style of the sidecars that are there, if one of the two is more frequent.
    pub fn style(&self) -> Option<SidecarStyle> {
        let (mut extended, mut stems) = (0, 0);
        for name in self.names.iter().filter(|name| extension(name) == "xmp") {
            match Kind::of(stem(name)) {
                Kind::Other => stems += 1,
                _ => extended += 1,
            }
        }
        match extended.cmp(&stems) {
            std::cmp::Ordering::Greater => Some(SidecarStyle::Extended),
            std::cmp::Ordering::Less => Some(SidecarStyle::Stem),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// Programs on systems without case treat names that differ by it as one; to be safe, so does cairn.
fn same_name(one: &OsStr, other: &OsStr) -> bool {
    one == other || one.as_encoded_bytes().eq_ignore_ascii_case(other.as_encoded_bytes())
}
