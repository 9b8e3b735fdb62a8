//! Files of PyTorch: zip archives and legacy files.
#![no_main]

use std::io::Cursor;

use cairn_nets::weights::PthContent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(PthContent::read(Cursor::new(bytes), None));
});
