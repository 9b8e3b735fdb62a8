//! What can go wrong with a photo.

use crate::path_text::path_text;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a photo could not be read or written. Every message begins with the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhotoError {
    /// There is no such file.
    #[error("{}: no such file", path_text(path))]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file is there but cannot be read: permissions, a folder, a failing disk.
    #[error("{}: cannot be read", path_text(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of zero bytes.
    #[error("{}: the file is empty", path_text(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The content is no picture, whatever the name says.
    #[error("{}: {}", path_text(path), what.map_or("not a photo (the content is of no known picture format)".into(), |what| format!("{what}, not a photo")))]
    NotAPhoto {
        /// The file.
        path: PathBuf,
        /// What it is instead, such as "a video (MP4)", if its first bytes tell.
        what: Option<&'static str>,
    },
    /// The file ends before the picture does.
    #[error(
        "{}: truncated {format} (the file ends before the picture does): copy or download it again",
        path_text(path)
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Name of the format, such as "JPEG".
        format: &'static str,
    },
    /// The file is whole, but what is in it contradicts its format.
    #[error("{}: corrupt {format}: {reason}", path_text(path))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Name of the format, such as "JPEG".
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// More pixels than [`Limits::max_pixels`](crate::Limits::max_pixels), by the file's header.
    #[error(
        "{}: too large: {width} x {height} is {:.0} megapixels, the limit is {:.0}",
        path_text(path), f64::from(*width) * f64::from(*height) / 1e6, *max_pixels as f64 / 1e6
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit that was set.
        max_pixels: u64,
    },
    /// Reading it would take more memory than [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error("{}: too large: reading it takes more than {} MB of memory, which is the limit", path_text(path), max_bytes / 1_000_000)]
    TooMuchMemory {
        /// The file.
        path: PathBuf,
        /// The limit that was set.
        max_bytes: u64,
    },
    /// Decoding it would take more memory than all photos together may: the whole
    /// [`MemoryBudget`](crate::MemoryBudget).
    #[error(
        "{}: too large: decoding it takes {} MB of memory, and all photos together may take {} MB: make it smaller, or \
         allow more with the environment variable CAIRN_DECODE_MEMORY (in MB)",
        path_text(path), needed.div_ceil(1_000_000), budget / 1_000_000
    )]
    MoreThanBudget {
        /// The file.
        path: PathBuf,
        /// Bytes that it takes, with those of the file.
        needed: u64,
        /// Bytes of the whole budget.
        budget: u64,
    },
    /// A JPEG of more scans than [`Limits::max_scans`](crate::Limits::max_scans) or, for its size,
    /// [`Limits::max_scan_pixels`](crate::Limits::max_scan_pixels).
    #[error(
        "{}: JPEG of {scans} scans, too many to decode (the limit for its size is {limit}): save it again with \
         another program",
        path_text(path)
    )]
    TooManyScans {
        /// The file.
        path: PathBuf,
        /// How many it has.
        scans: u32,
        /// How many it may have.
        limit: u32,
    },
    /// Decoding took longer than [`Limits::max_time`](crate::Limits::max_time) and what is added for the photo's size.
    #[error(
        "{}: decoding this {format} took longer than {} seconds: save it again with another program",
        path_text(path), allowed.as_secs()
    )]
    TimedOut {
        /// The file.
        path: PathBuf,
        /// Name of the format, such as "PNG".
        format: &'static str,
        /// The time that it had.
        allowed: Duration,
    },
    /// A folder, a named pipe, a socket or a device.
    #[error("{}: is {kind}, not a file", path_text(path))]
    NotAFile {
        /// What was to be read.
        path: PathBuf,
        /// What it is, such as "a folder".
        kind: &'static str,
    },
    /// So thin that no network can make anything of it ([`Photo::is_too_thin`](crate::Photo::is_too_thin)).
    #[error(
        "{}: too thin: {width} x {height} pixels, of which no network can make anything",
        path_text(path)
    )]
    TooThin {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A decoder panicked.
    #[error(
        "{}: internal error while decoding ({message}): please report it, with the photo",
        path_text(path)
    )]
    Panicked {
        /// The file.
        path: PathBuf,
        /// What the panic said.
        message: String,
    },
    /// A picture, but of a kind that is not read.
    #[error("{}: {format} is not supported: {advice}", path_text(path))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Name of the format, such as "HEIC".
        format: &'static str,
        /// What to do about it.
        advice: String,
    },
    /// The photo could not be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl PhotoError {
    /// The message without the path at its beginning, for output that names the photo anyway.
    pub fn reason(&self) -> String {
        let message = self.to_string();
        let path = format!("{}: ", path_text(self.path()));
        message.strip_prefix(&path).map(str::to_owned).unwrap_or(message)
    }

    /// Whether trying again later may help: a disk or network that fails, not a photo that cannot be read.
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted,
            NetworkDown, NetworkUnreachable, OutOfMemory, QuotaExceeded, ResourceBusy,
            StaleNetworkFileHandle, TimedOut, UnexpectedEof, WouldBlock,
        };
        /// A device that fails (`EIO`), too many open files in the process or the system (`EMFILE`, `ENFILE`): they have no
        /// kind.
        const PASSING: [i32; 3] = [5, 24, 23];
        let PhotoError::Io { source, .. } = self else { return false };
        let kind = matches!(
            source.kind(),
            BrokenPipe
                | ConnectionAborted
                | ConnectionRefused
                | ConnectionReset
                | HostUnreachable
                | Interrupted
                | NetworkDown
                | NetworkUnreachable
                | OutOfMemory
                | QuotaExceeded
                | ResourceBusy
                | StaleNetworkFileHandle
                | TimedOut
                | UnexpectedEof
                | WouldBlock
        );
        kind || cfg!(unix) && source.raw_os_error().is_some_and(|number| PASSING.contains(&number))
    }

    /// The photo's path.
    pub fn path(&self) -> &Path {
        match self {
            PhotoError::NotFound { path }
            | PhotoError::Io { path, .. }
            | PhotoError::Empty { path }
            | PhotoError::NotAPhoto { path, .. }
            | PhotoError::Truncated { path, .. }
            | PhotoError::Corrupt { path, .. }
            | PhotoError::TooLarge { path, .. }
            | PhotoError::TooMuchMemory { path, .. }
            | PhotoError::MoreThanBudget { path, .. }
            | PhotoError::TooManyScans { path, .. }
            | PhotoError::TimedOut { path, .. }
            | PhotoError::NotAFile { path, .. }
            | PhotoError::TooThin { path, .. }
            | PhotoError::Panicked { path, .. }
            | PhotoError::Unsupported { path, .. }
            | PhotoError::Write { path, .. } => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_leaves_out_the_path_whatever_is_in_it() {
        // The second is escaped in messages, since it looks like an escape itself.
        for path in ["a.jpg", r"a\xE9.jpg", "", "a: b.jpg"] {
            assert_eq!(PhotoError::Empty { path: path.into() }.reason(), "the file is empty", "{path}");
        }
    }

    #[test]
    fn a_failing_disk_passes_and_a_closed_or_missing_photo_does_not() {
        let io = |source: io::Error| PhotoError::Io { path: "a.jpg".into(), source };
        assert!(io(io::ErrorKind::TimedOut.into()).is_passing());
        assert_eq!(io(io::Error::from_raw_os_error(5)).is_passing(), cfg!(unix));
        assert!(!io(io::ErrorKind::PermissionDenied.into()).is_passing());
        assert!(!PhotoError::NotFound { path: "a.jpg".into() }.is_passing());
    }
}
