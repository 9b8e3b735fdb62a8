//! Files that harm was done to at random: each ends in tensors or an error, soon.

use std::io::Cursor;

use cairn_mutate::survives;
use cairn_nets::StateDict;
use cairn_nets::weights::{PthContent, TensorFile};

use crate::pickler::{legacy, weight, with_storage};

/// Reads a file of PyTorch, as a whole and by a key.
fn read(bytes: &[u8]) -> bool {
    drop(PthContent::read(Cursor::new(bytes), Some("weight")));
    PthContent::read(Cursor::new(bytes), None).is_ok()
}

/// Pickles that have instructions of every kind that is read.
fn pickles() -> Vec<Vec<u8>> {
    let script = b"\x80\x02c__torch__.a\nM\n)\x81q\x00}X\x01\x00\x00\x00mh\x00sb.".to_vec();
    let python = b"\x80\x04\x95\x20\0\0\0\0\0\0\0}(\x8c\x04argsc argparse\nNamespace\n)\x81}\x8c\x02lrG?\xb9\x99\x99\x99\x99\x99\x9asb\
        \x8c\x01s\x8f(K\x01\x90\x94\x8c\x01dccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\x01\0\0\0a]K\x01asu."
        .to_vec();
    vec![weight(&[2], &[1]), weight(&[2, 3], &[0, 0]), script, python]
}

#[test]
fn damaged_archives_and_legacy_files_never_panic() {
    let whole = survives(&[with_storage(&weight(&[2], &[1])), legacy()], 1500, read);
    assert!(whole > 20, "{whole} files were read");
}

#[test]
fn damaged_pickles_in_whole_archives_never_panic() {
    let whole = survives(&pickles(), 500, |pickle| read(&with_storage(pickle)));
    assert!(whole > 20, "{whole} files were read");
}

#[test]
fn damaged_safetensors_never_panic() {
    let mut weights = StateDict::default();
    weights.insert("conv.weight", &[2, 1, 3, 3], vec![0.5; 18]);
    weights.insert("bn.running_mean", &[], vec![1.0]);
    let file = weights.to_safetensors("note", "a note".to_owned()).unwrap();
    let whole = survives(&[file], 3000, |bytes| {
        TensorFile::parse(bytes, "note").is_ok_and(|file| StateDict::from_file(&file).is_ok())
    });
    assert!(whole > 20, "{whole} files were read");
}
