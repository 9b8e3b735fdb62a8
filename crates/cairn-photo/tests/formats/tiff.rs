//! TIFF of all kinds.

use cairn_photo::{Limits, Photo, PhotoError};
use tempfile::TempDir;

use crate::{Case, directory, long, open, short};

pub(crate) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../reference/tiff.json")).unwrap()
}

#[test]
fn every_kind_of_tiff_reads_as_in_pillow() {
    for case in cases() {
        let (_, worst, _) = case.read();
        let allowed = match case.name.as_str() {
            // Decoders of JPEG round differently, before colours are converted and after.
            name if name.contains("JPEG") => 4,
            // Pillow converts with tables of eight bits.
            name if name.starts_with("YCbCr") => 2,
            name if name.starts_with("CMYK") => 1,
            "alpha, associated" => 1,
            _ => 0,
        };
        assert!(worst <= allowed, "{}: off by up to {worst} levels", case.name);
    }
}

#[test]
fn a_tiff_cut_anywhere_is_an_error() {
    for case in cases() {
        let bytes = case.bytes();
        for length in [8, 9, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            match open(&bytes[..length]) {
                Err(PhotoError::Truncated { .. } | PhotoError::Corrupt { .. }) => {}
                // Where the directory stands behind the pixels, it is whole or it is not there.
                Ok(_) if length * 10 >= bytes.len() * 9 => {}
                other => panic!("{} cut to {length}: {other:?}", case.name),
            }
        }
    }
}

/// A TIFF of 4 x 4 grey pixels, with entries added or put in place of the usual ones.
fn tiff_with(entries: &[(u16, u16, u32, Vec<u8>)]) -> Vec<u8> {
    let usual = [
        short(256, 4),
        short(257, 4),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        long(273, 1000),
        short(277, 1),
        short(278, 4),
        long(279, 16),
    ];
    let mut all: Vec<_> = entries.to_vec();
    all.extend(usual.into_iter().filter(|(tag, ..)| entries.iter().all(|(other, ..)| other != tag)));
    all.sort_by_key(|(tag, ..)| *tag);
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(directory(8, &all, 0));
    bytes.resize(1000, 0);
    bytes.extend(0..16);
    bytes
}

#[test]
fn what_is_not_read_says_what_it_is() {
    let grey = open(&tiff_with(&[])).unwrap();
    assert_eq!(grey.pixel(3, 2), [11; 3]);
    for (entry, what) in [
        (short(259, 3), "CCITT group 3"),
        (short(259, 6), "old style"),
        (short(259, 50_000), "Zstandard"),
        (short(259, 9999), "compression 9999"),
        (short(262, 8), "L*a*b*"),
        (short(262, 32_845), "LogLuv"),
        (short(258, 24), "24 bits"),
        (short(339, 2), "signed"),
        (short(317, 3), "predictor 3"),
    ] {
        let error = open(&tiff_with(&[entry])).unwrap_err();
        assert!(matches!(error, PhotoError::Unsupported { format: "TIFF", .. }), "{what}: {error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_tiff_that_contradicts_itself_is_corrupt_and_takes_no_memory() {
    for entry in [
        short(256, 0),
        long(257, 0),
        short(262, 2),
        short(278, 1),
        (258, 3, 0xFFFF_FFFF, vec![0; 4]),
        (273, 4, 0x4000_0000, vec![0; 4]),
        long(273, 0xFFFF_FFFF),
        short(259, 5),
        short(259, 8),
        short(259, 7),
        short(259, 32_773),
    ] {
        let error = open(&tiff_with(std::slice::from_ref(&entry))).unwrap_err();
        let expected = matches!(error, PhotoError::Corrupt { .. } | PhotoError::Truncated { .. });
        assert!(expected, "{entry:?}: {error}");
    }
    let huge = open(&tiff_with(&[long(256, 100_000), long(257, 100_000)])).unwrap_err();
    assert!(matches!(huge, PhotoError::TooLarge { width: 100_000, .. }), "{huge}");
    let huge_tile =
        tiff_with(&[long(322, 0x7FFF_FFFF), long(323, 0x7FFF_FFFF), long(324, 1000), long(325, 16)]);
    assert!(matches!(open(&huge_tile).unwrap_err(), PhotoError::TooMuchMemory { .. }));
}

#[test]
fn the_limit_on_memory_holds_for_tiff() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("photo.tif");
    std::fs::write(&path, tiff_with(&[])).unwrap();
    let within = |max_bytes| Photo::open_within(&path, &Limits { max_bytes, ..Limits::default() });
    assert!(within(1016).is_ok());
    assert!(matches!(within(1015), Err(PhotoError::TooMuchMemory { .. })), "the file alone is longer");
    std::fs::write(&path, tiff_with(&[short(256, 100), short(257, 20), short(278, 20)])).unwrap();
    assert!(
        matches!(within(9999), Err(PhotoError::TooMuchMemory { .. })),
        "6,000 of the photo and twice 2,000"
    );
}
