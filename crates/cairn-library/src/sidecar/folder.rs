//! The names in one folder.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::SidecarStyle;
use super::name::{extension, stem};

/// The names of the files in one folder.
#[derive(Clone, Debug, Default)]
pub struct FolderNames {
    /// In order.
    names: Vec<OsString>,
    /// The places of the names of each stem, in order. A stem is without case.
    by_stem: HashMap<Vec<u8>, Vec<usize>>,
    style: Option<SidecarStyle>,
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
        let mut by_stem: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            by_stem.entry(without_case(stem(name))).or_default().push(index);
        }
        let style = style_of(&names);
        FolderNames { names, by_stem, style }
    }

    /// The names of this stem.
    fn with_stem(&self, stem: &OsStr) -> impl Iterator<Item = &OsStr> {
        let indices = self.by_stem.get(&without_case(stem)).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|&index| self.names[index].as_os_str())
    }

    /// The files whose name differs from this one by the case of the last extension alone (`a.jpg.xmp`, `a.jpg.XMP`).
    pub(crate) fn sidecars_named(&self, wanted: &OsStr) -> Vec<&OsStr> {
        self.with_stem(stem(wanted)).filter(|name| extension(name) == "xmp").collect()
    }

    /// The photos and videos of this stem.
    pub(super) fn of_stem(&self, wanted: &OsStr) -> Vec<&OsStr> {
        self.with_stem(wanted).filter(|name| Kind::of(name) != Kind::Other).collect()
    }

    pub(super) fn contains(&self, name: &OsStr) -> bool {
        self.names.binary_search_by(|known| known.as_os_str().cmp(name)).is_ok()
    }

    /// The style of the sidecars that are there, if one of the two is more frequent.
    pub fn style(&self) -> Option<SidecarStyle> {
        self.style
    }
}

fn style_of(names: &[OsString]) -> Option<SidecarStyle> {
    let (mut extended, mut stems) = (0, 0);
    for name in names.iter().filter(|name| extension(name) == "xmp") {
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

/// Programs on systems without case treat names that differ by it as one; to be safe, so does cairn.
fn without_case(name: &OsStr) -> Vec<u8> {
    name.as_encoded_bytes().to_ascii_lowercase()
}
