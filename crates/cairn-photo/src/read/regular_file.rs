//! The bytes of a file, and of nothing that only looks like one.

use std::fs::{File, FileType, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::Limits;
use crate::PhotoError;

/// The whole file, as far as the limit allows.
///
/// # Errors
/// It cannot be read, is empty, too long, or no regular file: a named pipe would be waited for, a device never ends.
pub(super) fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let io_error = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => PhotoError::NotFound { path: path.to_owned() },
        _ => PhotoError::Io { path: path.to_owned(), source },
    };
    let check = |metadata: &Metadata| match kind_of(metadata.file_type()) {
        None => Ok(()),
        Some(kind) => Err(PhotoError::NotAFile { path: path.to_owned(), kind }),
    };
    // Before it is opened, since opening a pipe waits; and afterwards, in case something else has taken its place.
    check(&std::fs::metadata(path).map_err(io_error)?)?;
    let file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    check(&metadata)?;
    if metadata.len() > limits.max_bytes {
        check_length(metadata.len(), path, limits)?;
    }
    // One byte more than the file has: reading stops where there is room left. (On 32 bits a limit may not fit.)
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default().saturating_add(1));
    // One byte more than allowed tells a file that is too long, and one that grows meanwhile.
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error)?;
    check_length(bytes.len() as u64, path, limits)?;
    Ok(bytes)
}

/// Refuses a file of no bytes, and one of more than the limit.
pub(super) fn check_length(bytes: u64, path: &Path, limits: &Limits) -> Result<(), PhotoError> {
    match bytes {
        0 => Err(PhotoError::Empty { path: path.to_owned() }),
        bytes if bytes > limits.max_bytes => {
            Err(PhotoError::TooMuchMemory { path: path.to_owned(), max_bytes: limits.max_bytes })
        }
        _ => Ok(()),
    }
}

/// What it is if it is no regular file.
fn kind_of(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    Some(if kind.is_dir() { "a folder" } else { "no regular file" })
}
