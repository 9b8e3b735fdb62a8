//! Paths as text: every path has a text of its own, also where its name is not UTF-8.

use std::ffi::OsStr;

/// The text of a path or of a name; two different paths have two different texts.
///
/// A byte that is not UTF-8 is written as `\xE9`, with two upper-case hexadecimal digits. All other names stay as they are,
/// except that a backslash before `x` and two such digits, which would read as a byte, is written as `\x5C`.
pub fn path_text(path: impl AsRef<OsStr>) -> String {
    let mut text = String::new();
    for chunk in path.as_ref().as_encoded_bytes().utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            text.push_str(if reads_as_byte(rest) { "\\x5C" } else { "\\" });
        }
        text.push_str(rest);
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

/// Whether what follows a backslash makes it the escape of a byte: `x` and two upper-case hexadecimal digits.
fn reads_as_byte(after_backslash: &str) -> bool {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    matches!(after_backslash.as_bytes(), [b'x', high, low, ..] if digit(high) && digit(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["train/12.Eiffel_Tower/été.jpg", r"a\b", r"a\x4", r"\xe9", r"C:\photos\x", "", r"\"] {
            assert_eq!(path_text(name), name);
        }
        assert_eq!(path_text(r"a\xE9"), r"a\x5CxE9");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf8_are_escaped_in_errors_too() {
        use std::os::unix::ffi::OsStrExt;

        let text = |bytes: &[u8]| path_text(OsStr::from_bytes(bytes));
        assert_eq!(text(b"caf\xe9.jpg"), r"caf\xE9.jpg");
        assert_eq!(text(b"caf\xe8.jpg"), r"caf\xE8.jpg");
        assert_eq!(text(b"\\\xe9"), r"\\xE9");
        let missing = crate::Photo::open(OsStr::from_bytes(b"nowhere/caf\xe9.jpg")).unwrap_err();
        assert_eq!(missing.to_string(), r"nowhere/caf\xE9.jpg: no such file");
    }
}
