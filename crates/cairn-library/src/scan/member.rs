//! A file of the folder whose groups are sought.

use std::ffi::OsStr;

use cairn_photo::FileKind;

/// A file of the folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a OsStr,
    pub(super) kind: FileKind,
}
