//! Pickles, each in an archive that is whole: the checksums of one that is not would stop nearly every input.
#![no_main]

use std::io::{Cursor, Write};

use cairn_nets::weights::PthContent;
use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fuzz_target!(|pickle: &[u8]| {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("data.pkl", pickle), ("data/0", &[0; 64])] {
        let started = zip.start_file(format!("archive/{name}"), SimpleFileOptions::default());
        started.expect("written to memory");
        zip.write_all(bytes).expect("written to memory");
    }
    let archive = zip.finish().expect("written to memory");
    drop(PthContent::read(archive, None));
});
