//! HEIC, AVIF and CR3: where XMP is among the boxes (ISO/IEC 14496-12, section 8.11; 23008-12, annex A.2).

use super::{EmbedError, Format, Metadata};

/// Canon's box of XMP in CR3, as in other files of boxes (XMP part 3, section 1.2.7.1).
const XMP_UUID: [u8; 16] =
    [0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac];
/// The box of C2PA.
const C2PA_UUID: [u8; 16] =
    [0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81];
const DAMAGED: EmbedError = EmbedError::Damaged("boxes that do not fit the file");

struct Box<'a> {
    kind: [u8; 4],
    content: &'a [u8],
}

/// The boxes in `bytes`.
fn boxes(bytes: &[u8]) -> Result<Vec<Box<'_>>, EmbedError> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let header: &[u8; 8] = rest.first_chunk().ok_or(DAMAGED)?;
        let [a, b, c, d, kind @ ..] = *header;
        let (start, length) = match u32::from_be_bytes([a, b, c, d]) {
            // To the end.
            0 => (8, rest.len()),
            1 => {
                let long: [u8; 8] = *rest.get(8..).and_then(<[u8]>::first_chunk).ok_or(DAMAGED)?;
                (16, usize::try_from(u64::from_be_bytes(long)).map_err(|_| DAMAGED)?)
            }
            length => (8, length as usize),
        };
        let content = rest.get(start..length).ok_or(DAMAGED)?;
        found.push(Box { kind, content });
        rest = &rest[length..];
    }
    Ok(found)
}

fn find<'a>(boxes: &[Box<'a>], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes.iter().find(|found| &found.kind == kind).map(|found| found.content)
}

pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata, EmbedError> {
    let top = boxes(bytes)?;
    let uuid = |uuid: &[u8; 16]| {
        top.iter().filter(|found| &found.kind == b"uuid").find_map(|found| found.content.strip_prefix(uuid))
    };
    let mut metadata = Metadata::none(Format::Bmff);
    metadata.has_credentials = uuid(&C2PA_UUID).is_some() || find(&top, b"jumb").is_some();
    metadata.xmp = uuid(&XMP_UUID).map(<[u8]>::to_vec);
    if let Some(meta) = find(&top, b"meta") {
        // A version and flags stand before the boxes.
        let parts = boxes(meta.get(4..).ok_or(DAMAGED)?)?;
        let mut items = Items::of(&parts)?;
        items.xmp.dedup();
        match items.xmp.as_slice() {
            [] => {}
            [item] if metadata.xmp.is_none() => metadata.xmp = Some(content(bytes, &parts, *item)?),
            _ => return Err(EmbedError::XmpTwice),
        }
        if let Some(item) = items.exif {
            let block = content(bytes, &parts, item)?;
            // The length of what stands before the TIFF header.
            let before = Reader(&block).number(4)?;
            metadata.exif = block.get(4 + before..).map(<[u8]>::to_vec);
        }
    }
    Ok(metadata)
}

/// The items that hold XMP and EXIF, by number.
struct Items {
    xmp: Vec<usize>,
    exif: Option<usize>,
}

impl Items {
    fn of(parts: &[Box<'_>]) -> Result<Items, EmbedError> {
        let mut items = Items { xmp: Vec::new(), exif: None };
        let Some(list) = find(parts, b"iinf") else { return Ok(items) };
        let count_length = if list.first() == Some(&0) { 2 } else { 4 };
        for entry in boxes(list.get(4 + count_length..).ok_or(DAMAGED)?)? {
            let mut reader = Reader(entry.content);
            let version = reader.number(1)?;
            if &entry.kind != b"infe" || version < 2 {
                continue;
            }
            reader.number(3)?;
            let number = reader.number(if version == 2 { 2 } else { 4 })?;
            // Its protection.
            reader.number(2)?;
            let rest = reader.0;
            if rest.starts_with(b"Exif") {
                items.exif.get_or_insert(number);
            } else if let Some(named) = rest.strip_prefix(b"mime") {
                let mut texts = named.split(|&byte| byte == 0);
                if texts.nth(1) == Some(b"application/rdf+xml") {
                    items.xmp.push(number);
                }
            }
        }
        Ok(items)
    }
}

/// The bytes of an item, by its extents in `iloc`.
fn content(bytes: &[u8], parts: &[Box<'_>], wanted: usize) -> Result<Vec<u8>, EmbedError> {
    let mut reader = Reader(find(parts, b"iloc").ok_or(DAMAGED)?);
    let version = reader.number(1)?;
    reader.number(3)?;
    let sizes = reader.number(1)?;
    let (offset_size, length_size) = (sizes >> 4, sizes & 15);
    let sizes = reader.number(1)?;
    let (base_size, index_size) = (sizes >> 4, if version > 0 { sizes & 15 } else { 0 });
    let count = reader.number(if version < 2 { 2 } else { 4 })?;
    for _ in 0..count {
        let number = reader.number(if version < 2 { 2 } else { 4 })?;
        let method = if version > 0 { reader.number(2)? & 15 } else { 0 };
        reader.number(2)?;
        let base = reader.number(base_size)?;
        let extents = reader.number(2)?;
        let mut found = Vec::new();
        for _ in 0..extents {
            reader.number(index_size)?;
            let offset = reader.number(offset_size)?;
            let length = reader.number(length_size)?;
            if number == wanted {
                // In the file, or in the box `idat`.
                let source = match method {
                    0 => bytes,
                    1 => find(parts, b"idat").ok_or(DAMAGED)?,
                    _ => return Err(DAMAGED),
                };
                let start = base.checked_add(offset).ok_or(DAMAGED)?;
                let end =
                    if length == 0 { source.len() } else { start.checked_add(length).ok_or(DAMAGED)? };
                found.extend_from_slice(source.get(start..end).ok_or(DAMAGED)?);
            }
        }
        if number == wanted {
            return Ok(found);
        }
    }
    Err(DAMAGED)
}

/// Takes numbers from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// A number of so many bytes, big-endian; 0 for none.
    fn number(&mut self, length: usize) -> Result<usize, EmbedError> {
        let (number, rest) = self.0.split_at_checked(length).ok_or(DAMAGED)?;
        self.0 = rest;
        let number = number.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        usize::try_from(number).map_err(|_| DAMAGED)
    }
}
