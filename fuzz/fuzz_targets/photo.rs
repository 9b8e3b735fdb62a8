//! Photos of any format, read whole and at the size of a network's input.
#![no_main]

use cairn_photo::{Limits, Photo, ReadSize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("a temporary file");
    drop(Photo::open(file.path()));
    drop(Photo::open_at(file.path(), ReadSize::ShortSide(64), &Limits::default()));
});
