//! Bundles: what opens must also name a photo.
#![no_main]

use cairn_model::Model;
use cairn_photo::Photo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_bytes(bytes, "fuzz") {
        drop(model.predict(&Photo::filled(40, 30, [90, 120, 30]), 3));
    }
});
