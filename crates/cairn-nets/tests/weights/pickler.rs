//! Files of PyTorch put together instruction by instruction.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use cairn_nets::weights::{PthContent, PthError, RawTensor, read_pth};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// `{"weight": tensor}` with two f32 elements in storage 0, or another shape and strides of it.
pub(crate) fn weight(shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x06\0\0\0weight".to_vec();
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n");
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpuK\x02tQK\0");
    for lengths in [shape, strides] {
        pickle.push(b'(');
        lengths.iter().for_each(|&length| pickle.extend([b'K', length]));
        pickle.push(b't');
    }
    pickle.extend(b"\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

/// An archive of the entries, in a folder called `archive`.
pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(format!("archive/{name}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An archive of this pickle and a storage of the numbers 1 and 2.
pub(crate) fn with_storage(pickle: &[u8]) -> Vec<u8> {
    let storage = [1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat();
    archive(&[("data.pkl", pickle), ("byteorder", b"little"), ("data/0", &storage)])
}

/// What begins a legacy file: the pickle of its magic number.
pub(crate) const LEGACY_MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// A legacy file of a tensor `weight` with the numbers 1 and 2.
pub(crate) fn legacy() -> Vec<u8> {
    let mut file = LEGACY_MAGIC.to_vec();
    file.extend(b"\x80\x02M\xe9\x03.\x80\x02}X\x0d\0\0\0little_endian\x88s.");
    file.extend(weight(&[2], &[1]));
    file.extend(b"\x80\x02]X\x01\0\0\x000a.\x02\0\0\0\0\0\0\0");
    file.extend([1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat());
    file
}

/// The tensors that reading a file of these bytes gives.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<RawTensor>, PthError> {
    Ok(read_content(bytes, None)?.tensors)
}

/// What reading a file of these bytes gives.
pub(crate) fn read_content(bytes: &[u8], key: Option<&str>) -> Result<PthContent, PthError> {
    let (_folder, path) = written(bytes);
    read_pth(path, key)
}

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.pth");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}
