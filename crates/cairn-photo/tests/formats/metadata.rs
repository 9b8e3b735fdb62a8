//! Where, when and with which camera: in every format that says so.

use cairn_photo::PhotoMetadata;

use crate::{directory, jpeg_of, long, quarters};

fn text(tag: u16, value: &str) -> (u16, u16, u32, Vec<u8>) {
    let bytes = [value.as_bytes(), b"\0"].concat();
    (tag, 2, bytes.len() as u32, bytes)
}

fn rationals(tag: u16, values: &[u32]) -> (u16, u16, u32, Vec<u8>) {
    let bytes = values.iter().flat_map(|&value| [value.to_le_bytes(), 1_u32.to_le_bytes()].concat());
    (tag, 5, values.len() as u32, bytes.collect())
}

/// EXIF data of a photo that was taken in Paris.
fn exif() -> Vec<u8> {
    let main = [text(0x010F, "Canon"), text(0x0110, "Canon EOS R5"), long(0x8769, 200), long(0x8825, 400)];
    let gps = [text(1, "N"), rationals(2, &[48, 51, 30]), text(3, "E"), rationals(4, &[2, 17, 40])];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(directory(8, &main, 0));
    bytes.resize(200, 0);
    bytes.extend(directory(200, &[text(0x9003, "2023:05:01 12:34:56"), text(0x9011, "+02:00")], 0));
    bytes.resize(400, 0);
    bytes.extend(directory(400, &gps, 0));
    bytes
}

fn assert_read(what: &str, file: &[u8]) {
    let metadata = PhotoMetadata::from_bytes(file);
    let position = metadata.position.unwrap_or_else(|| panic!("{what} has no position"));
    assert!((position.latitude - (48.0 + 51.0 / 60.0 + 30.0 / 3600.0)).abs() < 1e-9, "{what}: {position:?}");
    assert!((position.longitude - (2.0 + 17.0 / 60.0 + 40.0 / 3600.0)).abs() < 1e-9, "{what}: {position:?}");
    assert_eq!(metadata.taken.unwrap().to_string(), "2023-05-01T12:34:56+02:00", "{what}");
    assert_eq!(metadata.model.as_deref(), Some("Canon EOS R5"), "{what}");
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), kind.as_slice(), content].concat()
}

#[test]
fn position_time_and_camera_are_read_from_every_format() {
    let exif = exif();
    let jpeg = jpeg_of(&quarters(16, 16));
    let segment = [b"Exif\0\0".as_slice(), &exif].concat();
    let length = (segment.len() as u16 + 2).to_be_bytes();
    let jpeg = [&jpeg[..2], b"\xFF\xE1", &length, &segment, &jpeg[2..]].concat();
    assert_read("JPEG", &jpeg);
    assert_read("TIFF", &exif);

    let chunk = [&(exif.len() as u32).to_be_bytes(), b"eXIf".as_slice(), &exif, b"crc."].concat();
    assert_read("PNG", &[b"\x89PNG\r\n\x1A\n".as_slice(), &chunk].concat());
    let chunk = [b"EXIF", (exif.len() as u32).to_le_bytes().as_slice(), &exif].concat();
    assert_read("WebP", &[b"RIFF\0\0\0\0WEBP".as_slice(), &chunk].concat());

    let raf = [
        b"FUJIFILMCCD-RAW ".as_slice(),
        &[0; 68],
        &100_u32.to_be_bytes(),
        &(jpeg.len() as u32).to_be_bytes(),
        &[0; 8],
        &jpeg,
    ];
    assert_read("RAF", &raf.concat());
}

#[test]
fn a_cr3_keeps_them_in_three_boxes() {
    let header = b"II*\0\x08\0\0\0".as_slice();
    let whole = exif();
    // The directories of `exif`, each behind a header of its own: their values keep their offsets.
    let part = |first: u8| {
        [b"II*\0".as_slice(), &[first, (u16::from(first) >> 8) as u8, 0, 0], &whole[8..]].concat()
    };
    let at_400 = [b"II*\0\x90\x01\0\0".as_slice(), &whole[8..]].concat();
    let boxes = [boxed(b"CMT1", &whole), boxed(b"CMT2", &part(200)), boxed(b"CMT4", &at_400)].concat();
    let canon = b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";
    let file = |boxes: &[u8]| {
        let uuid = boxed(b"uuid", &[canon.as_slice(), boxes].concat());
        [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(b"moov", &uuid)].concat()
    };
    assert_read("CR3", &file(&boxes));
    // Without pointers from the first directory.
    let camera = [header, &directory(8, &[text(0x0110, "Canon EOS R5")], 0)].concat();
    let boxes = [boxed(b"CMT1", &camera), boxed(b"CMT2", &part(200)), boxed(b"CMT4", &at_400)].concat();
    assert_read("CR3", &file(&boxes));
}

#[test]
fn a_heic_keeps_them_in_an_item() {
    let case = crate::heic::cases().into_iter().find(|case| case.name == "grid and EXIF").unwrap();
    // Its EXIF data name an orientation alone: 26 bytes, behind four that say where they begin.
    assert_eq!(PhotoMetadata::from_bytes(&case.bytes()), PhotoMetadata::default());
    let mut named = case.bytes();
    let old = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0";
    let at = (0..named.len()).find(|&at| named[at..].starts_with(old)).unwrap();
    named[at + 10..at + 22].copy_from_slice(b"\x10\x01\x02\0\x04\0\0\0R5\0\0");
    assert_eq!(PhotoMetadata::from_bytes(&named).model.as_deref(), Some("R5"));
}

#[test]
fn what_is_no_regular_file_has_no_metadata_and_is_not_waited_for() {
    let folder = tempfile::TempDir::new().unwrap();
    assert_eq!(PhotoMetadata::open(folder.path()), PhotoMetadata::default());
    #[cfg(unix)]
    {
        let fifo = folder.path().join("photo.jpg");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(PhotoMetadata::open(&fifo), PhotoMetadata::default());
        }
    }
}
