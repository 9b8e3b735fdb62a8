//! Paths as text: every path has a text of its own, also where its name is not UTF-8.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

pub use cairn_photo::path_text;
use serde::{Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

/// The path of which `text` is the [`path_text`]. On systems whose paths are not bytes, escapes stay as they are.
pub fn path_of_text(text: &str) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::ffi::OsString::from_vec(unescaped(text)).into()
    }
    #[cfg(not(unix))]
    text.into()
}

/// The bytes of which `text` is the [`path_text`].
#[cfg(any(unix, test))]
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let byte = rest.get(1..3).filter(|_| reads_as_byte(rest));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => bytes.push(b'\\'),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Whether what follows a backslash makes it the escape of a byte: `x` and two upper-case hexadecimal digits.
#[cfg(any(unix, test))]
fn reads_as_byte(after_backslash: &str) -> bool {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    matches!(after_backslash.as_bytes(), [b'x', high, low, ..] if digit(high) && digit(low))
}

/// `text` in Unicode's normal form C, in which two names that look alike are the same text.
///
/// macOS and archives made there often write `é` as two code points (form D), other systems as one.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        unicode_normalization::IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// Serialises a path as its [`path_text`].
pub(crate) fn one<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    path_text(path).serialize(serializer)
}

/// Serialises a list of paths, likewise.
pub(crate) fn many<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(path_text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_in_either_normal_form_are_one_text() {
        assert_eq!(nfc("cafe\u{301}"), "caf\u{e9}");
        assert_eq!(nfc("caf\u{e9}"), "caf\u{e9}");
        assert_eq!(nfc("\u{1112}\u{1161}\u{11ab}"), "\u{d55c}");
    }

    #[cfg(unix)]
    mod bytes {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        use super::*;

        proptest! {
            #[test]
            fn a_text_gives_the_path_back(
                bytes in prop::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'E'), Just(b'5'), any::<u8>()], 0..24)
            ) {
                let path = Path::new(OsStr::from_bytes(&bytes));
                prop_assert_eq!(path_of_text(&path_text(path)), path);
            }
        }
    }
}
