//! Cameras' raw files: built here around a JPEG, by the published structures.

use cairn_photo::{Photo, PhotoError, is_photo_name};

use crate::{assert_upright, directory, jpeg_of, long, open, open_as, quarters, short};

/// A raw file: an orientation, a thumbnail and the large JPEG.
pub(crate) struct Raw {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Where parts are put in the files that are built here.
const SUB_DIRECTORY: u32 = 400;
const THUMBNAIL: u32 = 1000;
const LARGE: u32 = 20_000;

/// A TIFF header of its own kind, a first directory and one that it points at, and the two JPEGs.
fn tiff_based(
    header: &[u8],
    main: &[(u16, u16, u32, Vec<u8>)],
    sub: &[(u16, u16, u32, Vec<u8>)],
    parts: [&[u8]; 2],
) -> Vec<u8> {
    let mut bytes = header.to_vec();
    let first = header.len();
    bytes[4..8].copy_from_slice(&(first as u32).to_le_bytes());
    bytes.extend(directory(first, main, 0));
    assert!(bytes.len() <= SUB_DIRECTORY as usize);
    bytes.resize(SUB_DIRECTORY as usize, 0);
    bytes.extend(directory(SUB_DIRECTORY as usize, sub, 0));
    assert!(bytes.len() <= THUMBNAIL as usize);
    bytes.resize(THUMBNAIL as usize, 0);
    bytes.extend(parts[0]);
    assert!(bytes.len() <= LARGE as usize);
    bytes.resize(LARGE as usize, 0);
    bytes.extend(parts[1]);
    // The sensor's data.
    bytes.extend((0..5000_u32).map(|value| ((value * value) >> 3) as u8));
    bytes
}

fn be(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), kind.as_slice(), content].concat()
}

fn cr3(orientation: u8, thumbnail: &[u8], large: &[u8], preview_alone: bool) -> Vec<u8> {
    let cmt1 =
        [b"II*\0\x08\0\0\0".to_vec(), directory(8, &[short(0x0112, u16::from(orientation))], 0)].concat();
    let canon = b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";
    let preview = b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16";
    let file = |offset: u32| {
        let table = |offset: u32, length: u32| {
            let sizes = boxed(b"stsz", &be(&[0, length, 1]));
            let offsets = boxed(b"co64", &be(&[0, 1, 0, offset]));
            boxed(b"trak", &boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &[sizes, offsets].concat()))))
        };
        let track = if preview_alone { Vec::new() } else { table(offset, large.len() as u32) };
        let metadata = boxed(b"uuid", &[canon.as_slice(), &boxed(b"CMT1", &cmt1)].concat());
        let moov = boxed(b"moov", &[metadata, track].concat());
        let prvw =
            [&be(&[0]), [0, 1, 0, 160, 0, 120, 0, 1].as_slice(), &be(&[thumbnail.len() as u32]), thumbnail]
                .concat();
        let uuid = boxed(b"uuid", &[preview.as_slice(), &be(&[0, 1]), &boxed(b"PRVW", &prvw)].concat());
        let head = [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), moov, uuid].concat();
        let at = head.len() as u32 + 8;
        ([head, boxed(b"mdat", large)].concat(), at)
    };
    let (_, at) = file(0);
    file(at).0
}

fn raf(jpeg: &[u8]) -> Vec<u8> {
    let mut bytes = b"FUJIFILMCCD-RAW 0201FF129502X-T3".to_vec();
    bytes.resize(84, 0);
    bytes.extend(be(&[160, jpeg.len() as u32]));
    bytes.resize(160, 0);
    bytes.extend(jpeg);
    bytes
}

/// A JPEG with EXIF orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif =
        [b"Exif\0\0II*\0\x08\0\0\0".to_vec(), directory(8, &[short(0x0112, u16::from(orientation))], 0)]
            .concat();
    [&jpeg[..2], b"\xFF\xE1", &(exif.len() as u16 + 2).to_be_bytes(), &exif, &jpeg[2..]].concat()
}

/// One file of each kind. A sensor's pixels have photometric interpretation 32,803.
pub(crate) fn all_kinds(orientation: u8, large: &Photo) -> Vec<Raw> {
    let (thumbnail, large) = (jpeg_of(&quarters(8, 16)), jpeg_of(large));
    let turned = short(0x0112, u16::from(orientation));
    let tiff = b"II*\0\0\0\0\0".as_slice();
    let interchange = |at: u32, jpeg: &[u8]| [long(513, at), long(514, jpeg.len() as u32)];
    let strip = |at: u32, jpeg: &[u8]| [short(259, 6), long(273, at), long(279, jpeg.len() as u32)];
    let sensor = [short(262, 32_803), short(259, 34_713), long(273, LARGE + 9), long(279, 100)];
    let parts = [thumbnail.as_slice(), large.as_slice()];
    let sub = |tag| long(tag, SUB_DIRECTORY);

    let mut files = Vec::new();
    let mut add = |name, bytes| files.push(Raw { name, bytes });
    let main = [strip(LARGE, &large).as_slice(), &[turned.clone(), sub(330)]].concat();
    let cr2 = b"II*\0\0\0\0\0CR\x02\0\0\0\0\0".as_slice();
    add("IMG_0001.CR2", tiff_based(cr2, &main, &interchange(THUMBNAIL, &thumbnail), parts));
    // The thumbnail without compression, as Nikon and Adobe have it; the large JPEG and the sensor's data below.
    let main = [vec![short(254, 1), short(259, 1), short(262, 2), turned.clone(), sub(330)]].concat();
    let both = [interchange(LARGE, &large).as_slice(), &[short(262, 32_803)]].concat();
    add("DSC_0001.NEF", tiff_based(tiff, &main, &both, parts));
    let dng = [main.as_slice(), &[(50_706, 1, 4, vec![1, 4, 0, 0])]].concat();
    let preview = [short(259, 7), long(273, LARGE), long(279, large.len() as u32), short(262, 6)];
    add("IMG_0001.DNG", tiff_based(tiff, &dng, &preview, parts));
    let main = [interchange(LARGE, &large).as_slice(), &[turned.clone(), sub(330)]].concat();
    add("DSC00001.ARW", tiff_based(tiff, &main, &sensor, parts));
    add("IMGP0001.PEF", tiff_based(tiff, &main, &sensor, parts));
    add("SAM_0001.SRW", tiff_based(tiff, &main, &sensor, parts));
    // Olympus keeps its JPEG in maker's notes: nothing that is read here leads to it.
    let main = [turned.clone(), sub(330)];
    add("P1010001.ORF", tiff_based(b"IIRO\0\0\0\0", &main, &sensor, parts));
    let from_raw = (0x2E_u16, 7_u16, large.len() as u32, LARGE.to_le_bytes());
    let mut rw2 = tiff_based(b"IIU\0\0\0\0\0", &[long(0x2E, 0), turned], &sensor, parts);
    // The helper would put the JPEG behind the directory: its offset is written over what stands there.
    rw2[10..14].copy_from_slice(&[from_raw.0.to_le_bytes(), from_raw.1.to_le_bytes()].concat());
    rw2[14..18].copy_from_slice(&from_raw.2.to_le_bytes());
    rw2[18..22].copy_from_slice(&from_raw.3);
    add("P1000001.RW2", rw2);
    add("IMG_0001.CR3", cr3(orientation, &thumbnail, &large, false));
    add("DSCF0001.RAF", raf(&with_orientation(&large, orientation)));
    files
}

#[test]
fn the_largest_jpeg_of_every_raw_file_is_read_and_turned_as_the_raw_file_says() {
    let large = quarters(48, 96);
    for orientation in 1..=8 {
        for raw in all_kinds(orientation, &large) {
            let photo = open_as(raw.name, &raw.bytes).unwrap_or_else(|error| panic!("{error}"));
            assert_upright(raw.name, &photo, &large, orientation, 6);
            assert!(is_photo_name(raw.name), "{}", raw.name);
        }
    }
}

#[test]
fn the_orientation_of_a_raw_file_is_applied_once_though_its_jpeg_names_it_too() {
    let large = quarters(48, 96);
    let jpeg = with_orientation(&jpeg_of(&large), 6);
    let main = [long(513, LARGE), long(514, jpeg.len() as u32), short(0x0112, 6), long(330, SUB_DIRECTORY)];
    let bytes = tiff_based(b"II*\0\0\0\0\0", &main, &[short(262, 32_803)], [&[], &jpeg]);
    assert_upright("ARW", &open(&bytes).unwrap(), &large, 6, 6);
}

#[test]
fn a_cr3_without_a_track_is_read_by_its_preview() {
    let preview = quarters(48, 96);
    let bytes = cr3(8, &jpeg_of(&preview), b"no JPEG", true);
    assert_upright("CR3", &open(&bytes).unwrap(), &preview, 8, 6);
}

#[test]
fn a_raw_file_whose_largest_jpeg_is_damaged_is_read_by_the_next() {
    let (small, large) = (quarters(48, 96), quarters(64, 128));
    let mut damaged = jpeg_of(&large);
    damaged.truncate(damaged.len() - 2);
    damaged.extend([0, 0]);
    let main = [long(513, LARGE), long(514, damaged.len() as u32), long(330, SUB_DIRECTORY)];
    let thumbnail = jpeg_of(&small);
    let sub = [short(262, 32_803), long(513, THUMBNAIL), long(514, thumbnail.len() as u32)];
    let bytes = tiff_based(b"II*\0\0\0\0\0", &main, &sub, [&thumbnail, &damaged]);
    let photo = open(&bytes).unwrap();
    assert_eq!((photo.width(), photo.height()), (48, 96));
}

#[test]
fn a_raw_file_without_a_jpeg_says_so() {
    let sensor = [short(262, 32_803), short(259, 1), long(273, LARGE), long(279, 100)];
    let bytes = tiff_based(b"II*\0\0\0\0\0", &[long(330, SUB_DIRECTORY)], &sensor, [&[], &[]]);
    let error = open_as("DSC_0001.NEF", &bytes).unwrap_err();
    assert!(matches!(error, PhotoError::Unsupported { format: "raw", .. }), "{error}");
    assert!(error.to_string().contains("DSC_0001.NEF") && error.to_string().contains("JPEG"), "{error}");
}

#[test]
fn a_tiff_photo_is_not_taken_for_a_raw_file() {
    let case = crate::tiff::cases().into_iter().find(|case| case.name == "RGB, JPEG").unwrap();
    case.read();
}
