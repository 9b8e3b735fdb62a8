//! Safetensors files.
#![no_main]

use cairn_nets::StateDict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(StateDict::from_safetensors(bytes, "cairn"));
});
