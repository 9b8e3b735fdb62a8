//! Manifests of a data set, as CSV.
#![no_main]

use cairn_dataset::{ImageFolder, ValidSplit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("a temporary file");
    drop(ImageFolder::open(file.path(), &ValidSplit::default()));
});
