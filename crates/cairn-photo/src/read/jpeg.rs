//! Whether a JPEG is all there.

use memchr::memchr;

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;

/// Whether the first picture in `bytes` reaches its end marker.
///
/// The decoder fills up what is missing with grey and says nothing. Pillow too refuses every JPEG without an end marker.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    // Between segments, and between the scans of a progressive picture, lies entropy-coded data, in which 0xFF is followed
    // by zero or a restart marker: from one marker to the next all other bytes can be passed over.
    while let Some(at) = memchr(0xFF, rest) {
        rest = &rest[at + 1..];
        match rest.first() {
            Some(&END_OF_IMAGE) => return true,
            // A stuffed zero, the marker TEM, the restart markers (0xD0 to 0xD7) and the start stand alone; any number of
            // 0xFF may fill the room before a marker, which then is looked at in the next round.
            Some(0x00 | 0x01 | 0xD0..=START_OF_IMAGE | 0xFF) => {}
            Some(_) => {
                let Some(&[_, high, low]) = rest.first_chunk() else { return false };
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn a_jpeg_ends_at_its_end_marker_and_nowhere_before() {
        // Start, a comment that holds the end marker's two bytes, a scan with a stuffed zero and a restart, end.
        let whole = b"\xFF\xD8\xFF\xFE\x00\x04\xFF\xD9\xFF\xDA\x00\x02ab\xFF\x00\xFF\xD0cd\xFF\xFF\xD9";
        assert!(is_complete(whole));
        for length in 0..whole.len() {
            assert!(!is_complete(&whole[..length]), "the first {length} bytes");
        }
        assert!(is_complete(&[whole, b"a second picture".as_slice()].concat()));
    }
}
