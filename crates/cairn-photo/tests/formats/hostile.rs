//! Damaged files of all formats: no panic, no hang.

use std::time::Duration;

use cairn_photo::PhotoMetadata;
use cairn_reference::CpuClock;
use chacha20::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use crate::{heic, jpeg_of, open, quarters, raw, tiff};

/// A file with some bytes changed, mostly among the first, where its structure is.
fn damaged(file: &[u8], random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..random.random_range(1..=3) {
        let head = bytes.len().min(1200);
        let length = if random.random_bool(0.6) { head } else { bytes.len() };
        let at = random.random_range(0..length);
        match random.random_range(0..8) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.random_range(0..5)],
            3 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0xFF),
            4 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0),
            5 => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = random.random()),
            6 if random.random_bool(0.2) => bytes.truncate(at.max(16)),
            _ => bytes[at] = random.random(),
        }
    }
    bytes
}

/// Damages each file in turn, as often as CAIRN_MUTATIONS says.
#[test]
fn damaged_files_are_photos_or_errors_and_take_no_time() {
    let count = std::env::var("CAIRN_MUTATIONS").map_or(1500, |count| count.parse().unwrap());
    let jpeg = jpeg_of(&quarters(48, 96));
    let files: Vec<(String, Vec<u8>)> = heic::cases()
        .into_iter()
        .chain(tiff::cases())
        .map(|case| (case.name.clone(), case.bytes()))
        .chain(raw::all_kinds(6, &quarters(48, 96)).into_iter().map(|raw| (raw.name.into(), raw.bytes)))
        .chain([("JPEG".into(), jpeg)])
        .collect();
    let seed = std::env::var("CAIRN_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for index in 0..count {
        let (name, file) = &files[index % files.len()];
        let bytes = damaged(file, &mut random);
        let clock = CpuClock::start();
        let result = std::panic::catch_unwind(|| {
            PhotoMetadata::from_bytes(&bytes);
            if let Ok(photo) = open(&bytes) {
                assert_eq!(
                    photo.pixels().len() as u64,
                    u64::from(photo.width()) * u64::from(photo.height()) * 3
                );
            }
        });
        let computed = clock.elapsed();
        if result.is_err() || computed > Some(Duration::from_secs(10)) {
            let path = std::env::temp_dir().join(format!("cairn-damaged-{seed}-{index}"));
            std::fs::write(&path, &bytes).unwrap();
            panic!("{name}, number {index}, in {}: {computed:?}", path.display());
        }
    }
}
