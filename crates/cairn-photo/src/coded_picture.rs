//! The coded picture in a file, without its metadata: what stays the same when a photo is renamed, moved or tagged.

use crate::embedded::parse_heif;

/// Calls `take` with the parts of the coded picture in a file's bytes, in order.
///
/// | format | parts |
/// | --- | --- |
/// | JPEG | all segments and scans up to the end of the first picture, without `APPn` and comments |
/// | PNG | the chunks `IHDR`, `PLTE`, `tRNS` and `IDAT` |
/// | WebP | the chunks `VP8 `, `VP8L`, `ALPH`, `ANIM` and `ANMF` |
/// | HEIC, AVIF | the primary item, and the items that it is made of |
/// | all others, and files that are damaged | all bytes |
pub fn each_part_of_coded_picture(bytes: &[u8], mut take: impl FnMut(&[u8])) {
    let parts = if bytes.starts_with(b"\xFF\xD8") {
        of_jpeg(bytes)
    } else if let Some(chunks) = bytes.strip_prefix(b"\x89PNG\r\n\x1A\n") {
        of_png(chunks)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        of_webp(&bytes[12..])
    } else if bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12) != Some(b"crx ") {
        return match of_heif(bytes) {
            Some(items) => items.iter().for_each(|item| take(item)),
            None => take(bytes),
        };
    } else {
        None
    };
    match parts {
        Some(parts) => parts.into_iter().for_each(take),
        None => take(bytes),
    }
}

/// `None` for a picture that does not reach its end marker.
fn of_jpeg(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    let mut at = 2;
    loop {
        // A marker: any number of 0xFF, then its code.
        let start = at;
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        while *bytes.get(at)? == 0xFF {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            0xD9 => return Some(parts),
            0x01 | 0xD0..=0xD8 => continue,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        if length < 2 {
            return None;
        }
        let mut end = at + length;
        if marker == 0xDA {
            end = end_of_scan(bytes, end)?;
        }
        let segment = bytes.get(start..end)?;
        if !matches!(marker, 0xE0..=0xEF | 0xFE) {
            parts.push(segment);
        }
        at = end;
    }
}

/// Where the first marker after a scan's entropy-coded bytes is; restart markers are part of them.
fn end_of_scan(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => return Some(at),
        }
    }
}

fn of_png(chunks: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    let mut rest = chunks;
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let kind = rest.get(4..8)?;
        let end = length.checked_add(8)?;
        let chunk = rest.get(4..end)?;
        match kind {
            b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" => parts.push(chunk),
            b"IEND" => return Some(parts),
            _ => {}
        }
        rest = rest.get(end.checked_add(4)?..)?;
    }
}

fn of_webp(chunks: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    let mut rest = chunks;
    while !rest.is_empty() {
        let kind = rest.get(..4)?;
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?) as usize;
        let end = length.checked_add(8)?;
        let chunk = rest.get(..end)?;
        if matches!(kind, b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF") {
            parts.push(chunk);
        }
        // Chunks begin at even offsets; the last one's padding may be missing.
        rest = rest.get(end + length % 2..).unwrap_or_default();
    }
    (!parts.is_empty()).then_some(parts)
}

fn of_heif(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    /// More items than any camera's grid has.
    const MAX_ITEMS: usize = 4096;
    let file = parse_heif(bytes)?.ok()?;
    let primary = file.primary_id;
    let made_of = file.referenced_items(primary, b"dimg");
    let items = std::iter::once(primary).chain(made_of.iter().copied()).take(MAX_ITEMS);
    let data: Option<Vec<Vec<u8>>> =
        items.map(|item| Some(file.item_data(item).ok()?.into_owned())).collect();
    data.filter(|data| data.iter().any(|item| !item.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        each_part_of_coded_picture(bytes, |part| all.extend_from_slice(part));
        all
    }

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        [&[0xFF, marker], ((data.len() + 2) as u16).to_be_bytes().as_slice(), data].concat()
    }

    #[test]
    fn a_jpeg_is_the_same_picture_whatever_its_metadata() {
        let coded = [
            segment(0xDB, b"table"),
            segment(0xC0, b"frame"),
            segment(0xDA, b"scan"),
            b"\x01\xFF\x00\x02\xFF\xD0\x03".to_vec(),
        ]
        .concat();
        let file = |metadata: &[u8], tail: &[u8]| {
            [b"\xFF\xD8", metadata, coded.as_slice(), b"\xFF\xD9", tail].concat()
        };
        let bare = picture(&file(b"", b""));
        assert_eq!(bare, coded);
        let tagged =
            [segment(0xE1, b"Exif"), segment(0xE1, b"http: XMP"), segment(0xFE, b"comment")].concat();
        assert_eq!(picture(&file(&tagged, b"")), bare);
        assert_eq!(picture(&file(&tagged, b"a film behind the picture")), bare);
        let other =
            file(b"", b"").iter().map(|&byte| if byte == 0x03 { 4 } else { byte }).collect::<Vec<_>>();
        assert_ne!(picture(&other), bare);
        let cut = &file(b"", b"")[..20];
        assert_eq!(picture(cut), cut, "a damaged file is all of its bytes");
    }

    #[test]
    fn a_png_and_a_webp_are_their_picture_chunks() {
        let png = |text: bool| {
            let chunk = |kind: &[u8], data: &[u8]| {
                [&(data.len() as u32).to_be_bytes(), kind, data, b"crc.".as_slice()].concat()
            };
            let text = if text { chunk(b"iTXt", b"XML:com.adobe.xmp") } else { Vec::new() };
            let parts = [chunk(b"IHDR", b"head"), text, chunk(b"IDAT", b"pixels"), chunk(b"IEND", b"")];
            [b"\x89PNG\r\n\x1A\n".as_slice(), &parts.concat()].concat()
        };
        assert_eq!(picture(&png(true)), b"IHDRheadIDATpixels");
        assert_eq!(picture(&png(true)), picture(&png(false)));

        let webp = b"RIFF\0\0\0\0WEBPVP8X\x01\0\0\0.\0VP8 \x03\0\0\0abc\0XMP \x02\0\0\0<>";
        assert_eq!(picture(webp), b"VP8 \x03\0\0\0abc");
    }

    #[test]
    fn no_bytes_are_a_panic() {
        let starts: [&[u8]; 5] = [
            b"\xFF\xD8\xFF\xDA\0\x04",
            b"\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFF",
            b"RIFF....WEBPVP8 \xFF\xFF\xFF\xFF",
            b"\0\0\0\x18ftypheic",
            b"\xFF\xD8\xFF\xFF",
        ];
        for bytes in starts {
            for length in 0..=bytes.len() {
                assert_eq!(picture(&bytes[..length]), &bytes[..length]);
            }
        }
    }
}
