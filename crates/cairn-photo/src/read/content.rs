//! What a file is that is no photo, by its first bytes.

use crate::bmff;

/// What a file is, with an article and the name of its format: "a video (MP4)". `None` if its bytes tell nothing.
pub(super) fn description(bytes: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 22] = [
        (b"\x1A\x45\xDF\xA3", "a video (Matroska or WebM)"),
        (b"\0\0\x01\xBA", "a video (MPEG)"),
        (b"\0\0\x01\xB3", "a video (MPEG)"),
        (b"FLV\x01", "a video (FLV)"),
        (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "a video (WMV)"),
        (b"ID3", "a sound file (MP3)"),
        (b"fLaC", "a sound file (FLAC)"),
        (b"OggS", "a sound file (Ogg)"),
        (b"%PDF-", "a document (PDF)"),
        (b"{\\rtf", "a document (RTF)"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an office document"),
        (b"PK\x03\x04", "an archive (ZIP)"),
        (b"PK\x05\x06", "an archive (ZIP)"),
        (b"\x1F\x8B", "an archive (gzip)"),
        (b"BZh", "an archive (bzip2)"),
        (b"\xFD7zXZ\0", "an archive (xz)"),
        (b"\x28\xB5\x2F\xFD", "an archive (Zstandard)"),
        (b"7z\xBC\xAF\x27\x1C", "an archive (7z)"),
        (b"Rar!\x1A\x07", "an archive (RAR)"),
        (
            b"\0\x05\x16\x07",
            "a sidecar (AppleDouble, what macOS keeps beside a file on other systems' disks)",
        ),
        (b"\x7FELF", "a program"),
        (b"SQLite format 3\0", "a database (SQLite)"),
    ];
    if let Some((_, what)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(what);
    }
    of_riff(bytes)
        .or_else(|| of_boxes(bytes))
        .or_else(|| of_transport_stream(bytes))
        .or_else(|| of_text(bytes))
}

fn of_riff(bytes: &[u8]) -> Option<&'static str> {
    match bytes.strip_prefix(b"RIFF")?.get(4..8)? {
        b"AVI " => Some("a video (AVI)"),
        b"WAVE" => Some("a sound file (WAV)"),
        _ => None,
    }
}

/// MP4, QuickTime and their kin. (Pictures in boxes have been recognised before.)
fn of_boxes(bytes: &[u8]) -> Option<&'static str> {
    let first = bmff::boxes(bytes).next()?;
    match (&first.kind, first.content.get(..4)) {
        (b"ftyp", Some(b"qt  ")) => Some("a video (QuickTime)"),
        (b"ftyp", Some(b"M4A " | b"M4B ")) => Some("a sound file (M4A)"),
        (b"ftyp", _) => Some("a video (MP4)"),
        // QuickTime files of old have no `ftyp`.
        (b"moov" | b"mdat" | b"wide", _) => Some("a video (QuickTime)"),
        _ => None,
    }
}

/// Packets of 188 bytes that each begin with the same byte; cameras put four bytes of time before each.
fn of_transport_stream(bytes: &[u8]) -> Option<&'static str> {
    let synchronised =
        |first: usize, packet: usize| (0..4).all(|index| bytes.get(first + index * packet) == Some(&0x47));
    (synchronised(0, 188) || synchronised(4, 192)).then_some("a video (MPEG transport stream)")
}

/// Text of the kinds that are found beside photos.
fn of_text(bytes: &[u8]) -> Option<&'static str> {
    /// Enough to tell text from other bytes.
    const SAMPLE: usize = 4096;
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Some("text (UTF-16)");
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A letter that the sample was cut in.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.is_empty()
        || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0C' | '\x1B'))
    {
        return None;
    }
    let start = text.trim_start().to_ascii_lowercase();
    Some(match start.as_str() {
        start if start.starts_with("<!doctype html") || start.starts_with("<html") => "a web page (HTML)",
        start if start.starts_with("<?xpacket") || start.contains("<x:xmpmeta") => "a sidecar (XMP)",
        start if start.starts_with("<svg") || start.contains("<svg ") => "a drawing (SVG)",
        start if start.starts_with("<?xml") && start.contains("adjustment") => "a sidecar (AAE)",
        start if start.starts_with("<?xml") => "a document (XML)",
        start if start.starts_with(['{', '[']) => "a document (JSON)",
        _ => "text",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_is_no_photo() {
        let transport_stream =
            [0x47_u8].iter().chain(&[0; 187]).copied().cycle().take(800).collect::<Vec<_>>();
        let cases: [(&[u8], &str); 15] = [
            (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "a video (MP4)"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video (QuickTime)"),
            (b"\0\0\0\x08wide\0\0\0\x10mdat", "a video (QuickTime)"),
            (b"RIFF\0\0\0\0AVI LIST", "a video (AVI)"),
            (&transport_stream, "a video (MPEG transport stream)"),
            (b"%PDF-1.7\n", "a document (PDF)"),
            (b"PK\x03\x04\x14\0", "an archive (ZIP)"),
            (b"<!DOCTYPE html><html>", "a web page (HTML)"),
            (b"\xEF\xBB\xBF <html lang=de>", "a web page (HTML)"),
            (b"{\"title\": \"IMG_0001.jpg\"}", "a document (JSON)"),
            (b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", "a sidecar (XMP)"),
            (b"class,name\n1,Eiffel Tower\n", "text"),
            ("Châtea".as_bytes(), "text"),
            (b"\xFF\xFEh\0i\0", "text (UTF-16)"),
            (
                b"\0\x05\x16\x07\0\x02\0\0Mac OS X",
                "a sidecar (AppleDouble, what macOS keeps beside a file on other systems' disks)",
            ),
        ];
        for (bytes, what) in cases {
            assert_eq!(description(bytes), Some(what), "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_sample_that_cuts_a_letter_is_still_text() {
        let long = "é".repeat(5000);
        assert_eq!(description(&long.as_bytes()[1..]), None, "not UTF-8");
        assert_eq!(description(format!("a{long}").as_bytes()), Some("text"));
    }

    #[test]
    fn other_bytes_tell_nothing() {
        for bytes in [b"".as_slice(), b"\0", b"\x01\x02\x03", b"\0\0\0\x18free"] {
            assert_eq!(description(bytes), None, "{bytes:?}");
        }
    }
}
