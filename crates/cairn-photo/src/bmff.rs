//! Boxes: what HEIF, CR3 and films are made of (ISO/IEC 14496-12, section 4.2).

/// One box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Box<'a> {
    /// Four letters.
    pub(crate) kind: [u8; 4],
    /// What follows the header.
    pub(crate) content: &'a [u8],
}

/// The boxes in `bytes`, one after the other, up to the first that is damaged. A box that is longer than `bytes` ends
/// with them.
pub(crate) fn boxes(bytes: &[u8]) -> impl Iterator<Item = Box<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        let kind = *rest.get(4..)?.first_chunk()?;
        let (header, length) = match length {
            // To the end of the file.
            0 => (8, rest.len()),
            1 => (16, usize::try_from(u64::from_be_bytes(*rest.get(8..)?.first_chunk()?)).ok()?),
            length => (8, length as usize),
        };
        let length = length.min(rest.len());
        let content = rest.get(header..length)?;
        rest = &rest[length..];
        Some(Box { kind, content })
    })
}

/// The content of the first box of a kind.
pub(crate) fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|found| &found.kind == kind).map(|found| found.content)
}

/// The content of the first `uuid` box with this identifier.
pub(crate) fn find_uuid<'a>(bytes: &'a [u8], uuid: &[u8; 16]) -> Option<&'a [u8]> {
    boxes(bytes).filter(|found| &found.kind == b"uuid").find_map(|found| found.content.strip_prefix(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_follow_one_another_and_end_with_the_bytes() {
        let bytes = b"\0\0\0\x0Aabcd12\0\0\0\x01long\0\0\0\0\0\0\0\x113\0\0\0\0last45";
        let found: Vec<_> = boxes(bytes).map(|found| (found.kind, found.content)).collect();
        assert_eq!(found, [(*b"abcd", b"12".as_slice()), (*b"long", b"3"), (*b"last", b"45")]);
        assert_eq!(find(bytes, b"long"), Some(b"3".as_slice()));
        assert_eq!(find(bytes, b"none"), None);
        for length in 0..bytes.len() {
            boxes(&bytes[..length]).for_each(drop);
        }
        assert_eq!(boxes(b"\0\0\0\x07abcd").count(), 0, "shorter than its own header");
    }
}
