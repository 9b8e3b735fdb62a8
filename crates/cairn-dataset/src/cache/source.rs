//! What a kept photo was made from: if that is still the same, so is the photo.

use std::time::UNIX_EPOCH;

use cairn_photo::ReadSize;

use crate::PhotoPlace;

/// A file as it stood when it was read, and the size that it was read at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) key: Key,
    pub(super) stamp: Stamp,
}

/// Which photo, at which size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The path's bytes as the operating system has them.
    pub(super) path: Vec<u8>,
    pub(super) size: SizeCode,
}

/// A [`ReadSize`] as two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SizeCode(pub(super) [u32; 2]);

/// By what a changed file is recognised: length, and time of modification in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) modified: u64,
}

impl Source {
    /// The photo as its file is now; `None` if that cannot be inspected.
    pub(super) fn of(place: &PhotoPlace, size: ReadSize) -> Option<Source> {
        let metadata = place.file().metadata().ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = u64::try_from(modified.as_nanos()).ok()?;
        // Of a member of a tar file, its own: its tar file's would be that of all others, too.
        let bytes = if place.is_member() { place.bytes() } else { metadata.len() };
        let path = place.path().as_os_str().as_encoded_bytes().to_vec();
        let key = Key { path, size: SizeCode::of(size) };
        Some(Source { key, stamp: Stamp { bytes, modified } })
    }
}

impl SizeCode {
    /// No photo has a side of zero, so zeros are free to tell the kinds apart.
    fn of(size: ReadSize) -> SizeCode {
        match size {
            ReadSize::Full => SizeCode([0, 0]),
            ReadSize::ShortSide(side) => SizeCode([side, 0]),
            ReadSize::Exactly { width, height } => SizeCode([width, height]),
        }
    }
}
