//! What a JPEG's markers say: whether it is all there, and how much work it is to decode.

use memchr::memchr;

use super::Limits;
use super::decode_error::DecodeError;

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// What the markers of the first picture in a file say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Markers {
    /// Scans. A decoder goes over the whole picture once for each.
    pub(super) scans: u32,
    /// Bytes of the picture's coefficients, which a decoder keeps where they come in several scans, else 0.
    pub(super) coefficient_bytes: u64,
}

impl Markers {
    /// Those in `bytes`; `None` unless the picture reaches its end marker.
    ///
    /// The decoder fills up what is missing with grey and says nothing. Pillow too refuses every JPEG without an end
    /// marker.
    pub(super) fn of(bytes: &[u8]) -> Option<Markers> {
        let (markers, is_complete) = Markers::found_in(bytes);
        is_complete.then_some(markers)
    }

    /// Those in `bytes`, and whether the picture reaches its end marker.
    pub(super) fn found_in(bytes: &[u8]) -> (Markers, bool) {
        let (mut scans, mut frame) = (0_u32, None);
        let is_complete = Markers::walk(bytes, &mut scans, &mut frame).is_some();
        let coefficient_bytes = frame.map_or(0, |frame: Frame| frame.coefficient_bytes(scans));
        (Markers { scans, coefficient_bytes }, is_complete)
    }

    /// Counts scans and finds the frame; `None` unless the picture reaches its end marker.
    fn walk(bytes: &[u8], scans: &mut u32, frame: &mut Option<Frame>) -> Option<()> {
        let mut rest = bytes;
        // Between segments, and between the scans of a progressive picture, there is entropy-coded data, in which 0xFF is
        // followed by zero or a restart marker: from one marker to the next all other bytes can be passed over.
        while let Some(at) = memchr(0xFF, rest) {
            rest = &rest[at + 1..];
            match rest.first() {
                Some(&END_OF_IMAGE) => return Some(()),
                // A stuffed zero, the marker TEM, the restart markers (0xD0 to 0xD7) and the start stand alone; any number
                // of 0xFF may fill the room before a marker, which then is looked at in the next round.
                Some(0x00 | 0x01 | 0xD0..=START_OF_IMAGE | 0xFF) => {}
                Some(&marker) => {
                    let &[_, high, low] = rest.first_chunk()?;
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    let end = (1 + length).min(rest.len());
                    if marker == START_OF_SCAN {
                        *scans = scans.saturating_add(1);
                    } else if is_frame(marker) && frame.is_none() {
                        *frame = Frame::of(marker, rest.get(3..end).unwrap_or_default());
                    }
                    rest = &rest[end..];
                }
                None => return None,
            }
        }
        None
    }

    /// # Errors
    /// More scans of a picture of `width` x `height` than the limits allow.
    pub(super) fn check(&self, width: u32, height: u32, limits: &Limits) -> Result<(), DecodeError> {
        let pixels = u64::from(width) * u64::from(height);
        let by_work = u32::try_from(limits.max_scan_pixels / pixels.max(1)).unwrap_or(u32::MAX);
        // One scan is what every JPEG has.
        let limit = limits.max_scans.min(by_work).max(1);
        if self.scans > limit {
            return Err(DecodeError::TooManyScans { scans: self.scans, limit });
        }
        Ok(())
    }
}

/// Whether the marker begins a frame: SOF0 to SOF15, but not DHT, JPG and DAC, whose codes are between them.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// What a frame's header says (ITU-T T.81, B.2.2).
struct Frame {
    progressive: bool,
    width: u64,
    height: u64,
    /// Horizontal and vertical sampling factor of each component.
    sampling: Vec<[u64; 2]>,
}

impl Frame {
    /// Of a segment's data after its length.
    fn of(marker: u8, data: &[u8]) -> Option<Frame> {
        let (&[_, height_high, height_low, width_high, width_low, count], components) =
            data.split_first_chunk()?;
        let (components, _) = components.as_chunks::<3>();
        Some(Frame {
            progressive: matches!(marker, 0xC2 | 0xC6 | 0xCA | 0xCE),
            width: u16::from_be_bytes([width_high, width_low]).into(),
            height: u16::from_be_bytes([height_high, height_low]).into(),
            sampling: components
                .iter()
                .take(count.into())
                .map(|&[_, factors, _]| [u64::from(factors >> 4), u64::from(factors & 15)])
                .collect(),
        })
    }

    /// Two bytes for each of the 64 coefficients of each block, blocks being rounded up to whole units of all components.
    fn coefficient_bytes(&self, scans: u32) -> u64 {
        if !self.progressive && scans < 2 {
            return 0;
        }
        let greatest = |at: usize| self.sampling.iter().map(|factors| factors[at]).max().unwrap_or(1).max(1);
        let units = self.width.div_ceil(8 * greatest(0)) * self.height.div_ceil(8 * greatest(1));
        let blocks: u64 = self.sampling.iter().map(|[across, down]| across * down).sum();
        units * blocks * 64 * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_ends_at_its_end_marker_and_nowhere_before() {
        // Start, a comment that holds the end marker's two bytes, a scan with a stuffed zero and a restart, end.
        let whole = b"\xFF\xD8\xFF\xFE\x00\x04\xFF\xD9\xFF\xDA\x00\x02ab\xFF\x00\xFF\xD0cd\xFF\xFF\xD9";
        assert_eq!(Markers::of(whole), Some(Markers { scans: 1, coefficient_bytes: 0 }));
        for length in 0..whole.len() {
            assert_eq!(Markers::of(&whole[..length]), None, "the first {length} bytes");
        }
        let two = [whole.as_slice(), whole, b"a second picture".as_slice()].concat();
        assert_eq!(
            Markers::of(&two).unwrap().scans,
            1,
            "those of the second picture are none of the first's"
        );
    }

    #[test]
    fn a_progressive_jpeg_keeps_two_bytes_for_each_coefficient() {
        // 100 x 30 pixels; luma twice as wide and high as the two others: units of 16 x 16 pixels and 6 blocks.
        let frame = b"\xFF\xC2\x00\x11\x08\x00\x1E\x00\x64\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01";
        let scan = b"\xFF\xDA\x00\x02ab";
        let file = [b"\xFF\xD8".as_slice(), frame, scan, scan, scan, b"\xFF\xD9"].concat();
        assert_eq!(Markers::of(&file), Some(Markers { scans: 3, coefficient_bytes: 7 * 2 * 6 * 128 }));
    }

    #[test]
    fn the_larger_a_picture_the_fewer_scans_it_may_have() {
        let limits = Limits { max_scans: 100, max_scan_pixels: 1_000_000, ..Limits::default() };
        let check = |scans, side| Markers { scans, coefficient_bytes: 0 }.check(side, side, &limits);
        assert!(check(100, 100).is_ok());
        assert!(matches!(check(101, 100), Err(DecodeError::TooManyScans { scans: 101, limit: 100 })));
        assert!(check(4, 500).is_ok());
        assert!(matches!(check(5, 500), Err(DecodeError::TooManyScans { scans: 5, limit: 4 })));
        assert!(check(1, 5000).is_ok(), "one scan is work that the number of pixels bounds");
    }
}
