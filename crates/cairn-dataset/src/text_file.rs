//! Files of lines that somebody else wrote (tables, lists), read within bounds.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// A line is no longer, in bytes: longer ones are no text, and would be held in memory as a whole.
pub(crate) const LONGEST_LINE: usize = 64 << 10;
/// A list or table is no longer, in bytes.
const LONGEST_FILE: u64 = 1 << 30;
/// Bytes that are read at once.
const PIECE: u64 = 64 << 10;

/// Why a file of lines is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextFileError {
    /// The system does not let it be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A folder, a socket or a device.
    #[error("it is {kind}, not a file")]
    NotAFile {
        /// What it is, such as "a device".
        kind: &'static str,
    },
    /// A line that is no line of text.
    #[error("line {line} is longer than {} KiB; is this a text file?", LONGEST_LINE >> 10)]
    LongLine {
        /// Counted from 1.
        line: usize,
    },
    /// It does not end within bounds.
    #[error("more than {} GiB, which no list of photos has", LONGEST_FILE >> 30)]
    TooLong,
}

/// The bytes of the file of lines at `path`. A named pipe is read to its end, as what shells write for `<(find ...)` is one;
/// devices, which may have no end, are refused.
///
/// # Errors
/// [`TextFileError`] where it is no file, cannot be read, or has no bounds.
pub fn read_text_file(path: &Path) -> Result<Vec<u8>, TextFileError> {
    // Before it is opened, which may wait, and do something to a device.
    match refused_kind(fs::metadata(path)?.file_type()) {
        Some(kind) => Err(TextFileError::NotAFile { kind }),
        None => read_lines(File::open(path)?),
    }
}

/// The bytes of `input`, whose lines end with a line end or a zero byte.
///
/// # Errors
/// As [`read_text_file`].
pub fn read_lines(input: impl Read) -> Result<Vec<u8>, TextFileError> {
    let mut input = input.take(LONGEST_FILE + 1);
    let mut bytes = Vec::new();
    let (mut line, mut begin) = (1, 0);
    loop {
        let read = bytes.len();
        if input.by_ref().take(PIECE).read_to_end(&mut bytes)? == 0 {
            return Ok(bytes);
        }
        for (at, _) in bytes[read..].iter().enumerate().filter(|(_, byte)| matches!(byte, b'\n' | 0)) {
            if read + at - begin > LONGEST_LINE {
                return Err(TextFileError::LongLine { line });
            }
            (line, begin) = (line + 1, read + at + 1);
        }
        if bytes.len() - begin > LONGEST_LINE {
            return Err(TextFileError::LongLine { line });
        }
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(TextFileError::TooLong);
        }
    }
}

/// What it is if it is neither a file nor a pipe.
fn refused_kind(kind: FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    kind.is_dir().then_some("a folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input that never ends, and says how much of it was read.
    struct Endless<'a>(u8, &'a mut usize);

    impl Read for Endless<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            bytes.fill(self.0);
            *self.1 += bytes.len();
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused_by_its_number_after_little_of_it() {
        let mut read = 0;
        let error = read_lines((&b"a.jpg\nb.jpg\n"[..]).chain(Endless(b'x', &mut read))).unwrap_err();
        assert_eq!(error.to_string(), "line 3 is longer than 64 KiB; is this a text file?");
        assert!(read <= 4 * LONGEST_LINE, "{read}");
        let long = [vec![b'a'; LONGEST_LINE], b"\n".to_vec(), vec![b'b'; LONGEST_LINE]].concat();
        assert_eq!(read_lines(long.as_slice()).unwrap(), long);
        let longer = [b"\n\n".to_vec(), vec![b'a'; LONGEST_LINE + 1], b"\n".to_vec()].concat();
        assert!(matches!(read_lines(longer.as_slice()), Err(TextFileError::LongLine { line: 3 })));
    }

    #[test]
    fn zero_bytes_end_lines_too() {
        let list = b"a\0".repeat(LONGEST_LINE);
        assert_eq!(read_lines(list.as_slice()).unwrap(), list);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_folders_are_refused_unopened_and_a_missing_file_is_that() {
        let refused = |path: &str| read_text_file(Path::new(path)).unwrap_err();
        assert_eq!(refused("/dev/zero").to_string(), "it is a device, not a file");
        assert_eq!(refused("/").to_string(), "it is a folder, not a file");
        assert!(
            matches!(refused("/nowhere"), TextFileError::Io(error) if error.kind() == io::ErrorKind::NotFound)
        );
    }
}
