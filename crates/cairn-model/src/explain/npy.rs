//! NumPy's file format, version 1.0: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::{self, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

/// The header ends, and the numbers begin, at a multiple of this.
const ALIGNMENT: usize = 64;

/// Writes a row-major array of f32: a temporary file in the same folder, then renamed.
pub(super) fn write(path: &Path, [height, width]: [usize; 2], values: &[f32]) -> io::Result<()> {
    let mut file = AtomicWriteFile::open(path)?;
    file.write_all(&bytes([height, width], values))?;
    file.commit()
}

/// The file of a row-major array of f32.
pub(super) fn bytes(shape: [usize; 2], values: &[f32]) -> Vec<u8> {
    let mut bytes = header(shape);
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// Magic bytes, version, the length of what follows, and a Python dictionary padded with spaces up to a line end.
fn header([height, width]: [usize; 2]) -> Vec<u8> {
    let mut description =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    let before = b"\x93NUMPY\x01\x00".len() + size_of::<u16>();
    let length = (before + description.len() + 1).next_multiple_of(ALIGNMENT) - before;
    description.extend(std::iter::repeat_n(' ', length - 1 - description.len()));
    description.push('\n');
    // Two numbers of at most 20 digits leave it far below 65536 bytes.
    [b"\x93NUMPY\x01\x00", &(length as u16).to_le_bytes()[..], description.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_numpy_writes() {
        // NumPy 2.4: np.save(file, np.float32([[0, 1.5, -2]]))
        let expected = [
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }".as_slice(),
            " ".repeat(58).as_bytes(),
            b"\n\0\0\0\0\0\0\xc0?\0\0\0\xc0",
        ]
        .concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        write(&path, [1, 3], &[0.0, 1.5, -2.0]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }
}
