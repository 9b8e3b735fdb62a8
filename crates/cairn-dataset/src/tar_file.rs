//! Tar files of photos, as WebDataset and Google Landmarks are delivered.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cairn_photo::FileKind;
use tar::{Archive, Entry};

/// A file in a tar file.
pub struct TarMember<'a> {
    /// Its path there.
    pub path: PathBuf,
    /// The size of its content.
    pub bytes: u64,
    /// Where its content begins, if the tar file is not compressed.
    pub start: u64,
    /// Its content, to be read before the next member is asked for.
    pub content: &'a mut dyn Read,
}

impl TarMember<'_> {
    /// Whether it is a photo by its name.
    pub fn is_photo(&self) -> bool {
        FileKind::of_name(&self.path).is_photo()
    }
}

/// Tells `each` of all files in a tar file, in their order, but of hidden ones: macOS's `tar` puts a `._NAME` beside each file.
///
/// # Errors
/// When the tar file cannot be read or is none, or `each` fails.
pub fn each_tar_member(
    input: impl Read,
    mut each: impl FnMut(TarMember<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<()> {
    for entry in Archive::new(input).entries()? {
        if tell(entry?, &mut each)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// [`each_tar_member`] of a file on disk: contents that nobody reads are passed over, so that only heads are read.
///
/// # Errors
/// As of [`each_tar_member`].
pub(crate) fn each_member_of_file(
    path: &Path,
    mut each: impl FnMut(TarMember<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<()> {
    let length = path.metadata()?.len();
    for entry in Archive::new(File::open(path)?).entries_with_seek()? {
        let entry = entry?;
        // Passing over reads nothing, and would not see that the file ends too soon.
        if entry.raw_file_position().saturating_add(entry.size()) > length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if tell(entry, &mut each)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn tell<R: Read>(
    mut entry: Entry<'_, R>,
    each: &mut impl FnMut(TarMember<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<ControlFlow<()>> {
    let path = entry.path()?.into_owned();
    let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    if is_hidden || !entry.header().entry_type().is_file() {
        return Ok(ControlFlow::Continue(()));
    }
    let (bytes, start) = (entry.size(), entry.raw_file_position());
    each(TarMember { path, bytes, start, content: &mut entry })
}
