//! Files that are no photos, named directly.

use cairn_photo::PhotoError;

use crate::open_as;

#[test]
fn what_is_no_photo_is_told_what_it_is() {
    for (name, bytes, what) in [
        ("clip.mp4", b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41".as_slice(), "a video (MP4), not a photo"),
        ("IMG_0001.MOV", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video (QuickTime), not a photo"),
        ("IMG_0001.jpg.json", b"{\n  \"title\": \"IMG_0001.jpg\"}", "a document (JSON), not a photo"),
        ("IMG_0001.xmp", b"<?xpacket begin=''?><x:xmpmeta>", "a sidecar (XMP), not a photo"),
        ("notes.txt", b"We were there.\n", "text, not a photo"),
        ("book.pdf", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "a document (PDF), not a photo"),
        ("photos.zip", b"PK\x03\x04\x14\0\0\0\x08\0", "an archive (ZIP), not a photo"),
        // What a server sends instead of a photo.
        ("photo.jpg", b"<!DOCTYPE html>\n<html><head><title>404", "a web page (HTML), not a photo"),
        (
            "photo.bin",
            b"\x01\x02\x03\x04\x05\x06\x07\x08",
            "not a photo (the content is of no known picture format)",
        ),
    ] {
        let error = open_as(name, bytes).unwrap_err();
        assert!(matches!(error, PhotoError::NotAPhoto { .. }), "{error}");
        let message = error.to_string();
        assert!(message.ends_with(&format!("{name}: {what}")), "{message}");
    }
}

#[test]
fn a_picture_that_is_not_read_is_told_its_format() {
    for (name, bytes, format) in [
        ("a.jxl", b"\0\0\0\x0CJXL \r\n\x87\n".as_slice(), "JPEG XL"),
        ("a.jxl", b"\xFF\x0A\x7A\x1F", "JPEG XL"),
        ("a.jp2", b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
        ("a.psd", b"8BPS\0\x01\0\0", "Photoshop"),
    ] {
        let error = open_as(name, bytes).unwrap_err();
        assert!(matches!(error, PhotoError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{name}: {format} is not supported")), "{error}");
    }
}
