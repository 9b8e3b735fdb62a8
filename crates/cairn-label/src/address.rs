//! Addresses in object stores: they are told from paths, and refused with advice.

use std::io;

/// Whether this is an address, such as `s3://bucket/photos`, and no path.
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        // A letter alone is a drive of Windows.
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Why an address leads nowhere, and what to do.
pub(crate) fn unreached(address: &str) -> io::Error {
    let advice = format!("{address} is an address, not a path: copy it to this machine first, or mount it");
    io::Error::new(io::ErrorKind::Unsupported, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in ["s3://bucket/a", "https://example.org/a.jpg", "abfss://x@y/z", "gs://b"] {
            assert!(is_address(address), "{address}");
        }
        for path in ["a/b.jpg", "C://photos", "odd name://x", "a:b", "/s3:/x", ""] {
            assert!(!is_address(path), "{path}");
        }
    }
}
