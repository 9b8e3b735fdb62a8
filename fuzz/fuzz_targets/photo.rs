//! Photos of any format, read whole and at the size of a network's input.
#![no_main]

use cairn_photo::{Limits, Photo, ReadSize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for size in [ReadSize::Full, ReadSize::ShortSide(64)] {
        drop(Photo::decode_at(bytes, "fuzz", size, &Limits::default()));
    }
});
