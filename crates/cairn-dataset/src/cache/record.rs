//! One photo in the packed file: a head of fixed size, the path, the pixels.

use super::source::{Key, SizeCode, Source, Stamp};

/// Before each photo in the file. All numbers are little-endian.
///
/// | bytes | |
/// | --- | --- |
/// | 16 | first half of the BLAKE3 hash of all that follows in head and path |
/// | 16 | first half of the BLAKE3 hash of the pixels |
/// | 8, 8 | length and time of modification of the photo's file |
/// | 4, 4 | the size that it was read at |
/// | 4, 4 | columns and rows |
/// | 4 | length of the path |
pub(super) const HEAD_BYTES: usize = 68;

/// What is known of a photo in the file without its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) source: Source,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels_hash: [u8; 16],
}

impl Record {
    /// Bytes of the pixels, which follow the path.
    pub(super) fn pixel_bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * 3
    }

    /// Head and path.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Source { key: Key { path, size: SizeCode([first, second]) }, stamp } = &self.source;
        let mut bytes = vec![0; 16];
        bytes.extend(self.pixels_hash);
        bytes.extend(stamp.bytes.to_le_bytes());
        bytes.extend(stamp.modified.to_le_bytes());
        // No system has paths of 4 GiB.
        for number in [*first, *second, self.width, self.height, path.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(path);
        let hash = half_hash(&bytes[16..]);
        bytes[..16].copy_from_slice(&hash);
        bytes
    }

    /// The length of the path that follows this head.
    pub(super) fn path_bytes(head: &[u8; HEAD_BYTES]) -> usize {
        u32_at(head, 64) as usize
    }

    /// Reads what [`Record::to_bytes`] wrote; `None` if that was not written to the end.
    pub(super) fn from_bytes(head: &[u8; HEAD_BYTES], path: Vec<u8>) -> Option<Record> {
        if half_hash(&[&head[16..], &path].concat()) != head[..16] {
            return None;
        }
        let key = Key { path, size: SizeCode([u32_at(head, 48), u32_at(head, 52)]) };
        let stamp = Stamp { bytes: u64_at(head, 32), modified: u64_at(head, 40) };
        let (width, height) = (u32_at(head, 56), u32_at(head, 60));
        let mut pixels_hash = [0; 16];
        pixels_hash.copy_from_slice(&head[16..32]);
        Some(Record { source: Source { key, stamp }, width, height, pixels_hash })
    }
}

/// Half of a hash is enough to tell what was written from what was not.
pub(super) fn half_hash(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    half
}

fn u32_at(bytes: &[u8; HEAD_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8; HEAD_BYTES], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let key = Key { path: b"a/b.jpg".to_vec(), size: SizeCode([256, 0]) };
        let source = Source { key, stamp: Stamp { bytes: 1234, modified: 5_678_901_234 } };
        Record { source, width: 341, height: 256, pixels_hash: [7; 16] }
    }

    fn read(bytes: &[u8]) -> Option<Record> {
        let (head, path) = bytes.split_first_chunk::<HEAD_BYTES>().unwrap();
        assert_eq!(Record::path_bytes(head), path.len());
        Record::from_bytes(head, path.to_vec())
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(read(&record().to_bytes()), Some(record()));
    }

    #[test]
    fn a_damaged_head_or_path_is_noticed() {
        let bytes = record().to_bytes();
        for at in (0..64).chain(HEAD_BYTES..bytes.len()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged), None, "byte {at}");
        }
    }
}
