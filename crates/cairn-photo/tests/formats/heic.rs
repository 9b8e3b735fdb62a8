//! HEIC.

use cairn_photo::{Limits, Photo, PhotoError};
use tempfile::TempDir;

use crate::{Case, open, open_as};

pub(crate) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../reference/heic.json")).unwrap()
}

#[test]
fn heic_reads_as_in_libheif_turned_and_mirrored_by_its_container() {
    for case in cases() {
        let (_, worst, mean) = case.read();
        // Colours are converted in 8 bits there.
        assert!(
            mean <= 1.0 && worst <= 2,
            "{}: off by {mean:.2} levels in the mean, up to {worst}",
            case.name
        );
    }
}

#[test]
fn exif_orientation_is_not_applied_to_heic() {
    let case = cases().into_iter().find(|case| case.name == "grid and EXIF").unwrap();
    let (photo, ..) = case.read();
    // Red rises from left to right, as it was drawn: orientation 3 would let it fall.
    assert!(photo.pixel(0, 0)[0] < photo.pixel(39, 0)[0]);
}

#[test]
fn a_heic_cut_anywhere_is_an_error() {
    for case in cases() {
        let bytes = case.bytes();
        for length in [24, 100, bytes.len() / 2, bytes.len() - 1] {
            match open_as("IMG_0001.HEIC", &bytes[..length]) {
                Err(PhotoError::Truncated { .. } | PhotoError::Corrupt { .. }) => {}
                other => panic!("{} cut to {length}: {other:?}", case.name),
            }
        }
    }
}

#[test]
fn the_limits_hold_for_heic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("photo.heic");
    let case = cases().into_iter().find(|case| case.name == "grid").unwrap();
    std::fs::write(&path, case.bytes()).unwrap();
    let within = |max_pixels, max_bytes| {
        Photo::open_within(&path, &Limits { max_pixels, max_bytes, ..Limits::default() })
    };
    assert!(within(150 * 90, 1_000_000).is_ok());
    assert!(matches!(
        within(150 * 90 - 1, 1_000_000),
        Err(PhotoError::TooLarge { width: 150, height: 90, .. })
    ));
    assert!(matches!(within(150 * 90, 50_000), Err(PhotoError::TooMuchMemory { .. })));
}

/// Replaces the only place where `from` is in `bytes`.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:?}");
    [&bytes[..places[0]], to, &bytes[places[0] + from.len()..]].concat()
}

#[test]
fn a_grid_of_many_tiles_outside_of_its_picture_is_refused() {
    let case = cases().into_iter().find(|case| case.name == "grid").unwrap();
    let size = [150_u32.to_be_bytes(), 90_u32.to_be_bytes()].concat();
    // Three columns and two rows of 64 px; the grid says how large they are together.
    let grid = [0, 0, 1, 2, 0, 150, 0, 90];
    for (width, height) in [(64, 90), (128, 90), (150, 64), (193, 90), (150, 129), (0, 0)] {
        let smaller = [0, 0, 1, 2, 0, width, 0, height];
        let error = open(&replaced(&case.bytes(), &grid, &smaller)).unwrap_err();
        assert!(matches!(error, PhotoError::Corrupt { .. }), "{width} x {height}: {error}");
    }
    // What `ispe` says of the whole does not count, the grid does.
    assert!(open(&replaced(&case.bytes(), &size, &[0; 8])).is_ok());
}

#[test]
fn heif_of_another_kind_of_picture_says_so() {
    let case = cases().into_iter().find(|case| case.name == "4:2:0").unwrap();
    let error = open(&replaced(&case.bytes(), b"hvc1\0", b"jpeg\0")).unwrap_err();
    assert!(matches!(error, PhotoError::Unsupported { format: "HEIC", .. }), "{error}");
    assert!(error.to_string().contains("jpeg"), "{error}");
}
