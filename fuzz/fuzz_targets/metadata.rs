//! EXIF and XMP of photos: time, camera, place.
#![no_main]

use cairn_photo::PhotoMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(PhotoMetadata::from_bytes(bytes));
});
